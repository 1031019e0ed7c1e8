"""Herds that are made up at once."""

from rancher_lab import RancherLab


def test_herds_that_are_seeded_one_after_the_other_share_no_machine(tmp_path):
    lab = RancherLab(tmp_path)
    try:
        lab.start_server()
        first = lab.call(lab.cluster.seed_herd, 300)
        second = lab.call(lab.cluster.seed_herd, 300, 3)
    finally:
        lab.close()

    both = [*first, *second]
    assert len({one.private_ip for one in both}) == len({one.instance_id for one in both}) == 600
