"""Who shall be a member of an environment."""

from corral.domain.set_up.members import Membership, find_members_to_set

OWN = Membership("1a1", "rancher_id", "owner")
OCTOCAT = Membership("583231", "github_user", "member")
OPS = Membership("9919", "github_team", "owner")


def test_the_same_people_in_another_order_are_nothing_to_do():
    assert find_members_to_set([OCTOCAT, OPS], [OPS, OWN, OCTOCAT], "1a1") == ()


def test_an_empty_list_leaves_the_administrator_alone():
    assert find_members_to_set([], [OWN, OCTOCAT], "1a1") == (OWN,)
    assert find_members_to_set([], [OWN], "1a1") == ()


def test_another_role_sets_the_whole_list_anew():
    promoted = Membership("583231", "github_user", "owner")

    assert find_members_to_set([promoted], [OWN, OCTOCAT], "1a1") == (OWN, promoted)


def test_the_administrator_stays_an_owner_whatever_the_list_says():
    demoted = Membership("1a1", "rancher_id", "readonly")

    assert find_members_to_set([demoted], [OWN], "1a1") == ()


def test_an_administrator_whom_somebody_removed_comes_back():
    assert find_members_to_set([OPS], [OPS], "1a1") == (OWN, OPS)


def test_the_same_id_of_another_kind_is_somebody_else():
    organization = Membership("583231", "github_org", "member")

    assert find_members_to_set([organization], [OWN, OCTOCAT], "1a1") == (OWN, organization)
