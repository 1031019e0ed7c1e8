"""Collections: pages, filters, order, links."""

import time

import pytest
from rancher_lab import RancherLab

HOSTS = "/v2-beta/hosts"


@pytest.fixture(scope="module")
def rancher(tmp_path_factory):
    lab = RancherLab(tmp_path_factory.mktemp("rancher"))
    lab.start_server()
    lab.call(lab.cluster.seed_herd, 4000, 40)
    yield lab
    lab.close()


def _page(rancher, **parameters):
    return rancher.get(HOSTS, params=parameters).json()


@pytest.mark.parametrize(
    ("limit", "rows"), [(None, 100), (7, 7), (3000, 3000), (3001, 3000), (0, 3000), (-5, 3000)]
)
def test_a_page_has_at_most_so_many_rows(rancher, limit, rows):
    page = _page(rancher, **({} if limit is None else {"limit": limit}))

    assert len(page["data"]) == rows
    assert page["pagination"]["limit"] == rows
    assert page["pagination"]["partial"] is True
    assert page["pagination"]["next"] is not None


def test_the_next_links_lead_through_all_rows_and_end(rancher):
    ids, url = [], rancher.url(f"{HOSTS}?limit=1500&sort=id&order=desc")
    while url:
        page = rancher.get(url.removeprefix(rancher.url())).json()
        ids += [host["id"] for host in page["data"]]
        url = page["pagination"]["next"]

    assert ids == [f"1h{number}" for number in range(4000, 0, -1)]


def test_a_long_page_comes_quickly(rancher):
    start = time.monotonic()

    page = _page(rancher, limit=3000)

    assert len(page["data"]) == 3000
    assert time.monotonic() - start < 3


@pytest.mark.parametrize(
    ("parameters", "rows"),
    [
        ({"agentState": "disconnected"}, 40),
        ({"agentState_ne": "active"}, 40),
        ({"agentState": "DISCONNECTED"}, 40),
        ({"agentState_prefix": "dis"}, 40),
        ({"agentState_like": "%connect%"}, 40),
        ({"agentState_notlike": "%connect%"}, 3000),
        ({"id": "1h17"}, 1),
        ({"id_lte": "1h17"}, 17),
        ({"accountId": "1a5", "id_lt": "1h3"}, 2),
        ({"accountId": "1a4"}, 0),
        ({"description_notnull": ""}, 0),
        ({"description_null": ""}, 3000),
        ({"memory_gt": "4000000000"}, 0),
        ({"removed_null": ""}, 3000),
        ({"created_lt": "2020-01-01T00:00:00Z"}, 0),
    ],
)
def test_columns_are_filtered_by(rancher, parameters, rows):
    assert len(_page(rancher, limit=3000, **parameters)["data"]) == rows


def test_the_shown_state_is_no_column(rancher):
    assert _page(rancher, state="disconnected")["data"] == []
    phantom = _page(rancher, agentState="disconnected")["data"][0]
    assert (phantom["state"], phantom["agentState"]) == ("disconnected", "disconnected")


def test_v1_always_shows_the_stored_state(rancher):
    phantom = rancher.get("/v1/hosts?agentState=disconnected").json()["data"][0]

    assert (phantom["state"], phantom["agentState"]) == ("active", "disconnected")
    assert "baseType" not in phantom


@pytest.mark.parametrize(
    "parameters",
    [{"hostname": "nobody"}, {"labels": "x"}, {"agentIpAddress": "x"}, {"agentStaet": "x"}],
)
def test_what_is_no_column_is_ignored_without_a_word(rancher, parameters):
    page = _page(rancher, limit=3000, **parameters)

    assert len(page["data"]) == 3000
    assert next(iter(parameters)) not in page["filters"]


def test_filters_and_order_are_repeated_in_the_answer(rancher):
    page = _page(rancher, agentState_ne="active", sort="created", order="desc", limit=5)

    assert page["filters"]["agentState"] == [{"modifier": "ne", "value": "active"}]
    assert page["filters"]["kind"] is None
    assert (page["sort"]["name"], page["sort"]["order"]) == ("created", "desc")
    stamps = [host["createdTS"] for host in page["data"]]
    assert stamps == sorted(stamps, reverse=True)


def test_links_are_built_from_what_the_proxy_says_it_was_asked(rancher):
    headers = {"Host": "rancher.corral.test", "X-Forwarded-Proto": "https"}

    page = rancher.get(f"{HOSTS}?limit=1", headers={**headers, "X-Forwarded-Port": "443"}).json()

    base = "https://rancher.corral.test/v2-beta"
    assert page["links"]["self"] == f"{base}/hosts"
    assert page["pagination"]["next"] == f"{base}/hosts?limit=1&marker=m1"
    assert page["data"][0]["links"]["self"] == f"{base}/hosts/1h1"
    assert page["data"][0]["actions"]["deactivate"] == f"{base}/hosts/1h1/?action=deactivate"


def test_without_the_proxys_headers_links_lead_to_plain_http(rancher):
    page = rancher.get(HOSTS, headers={"Host": "rancher.corral.test"}).json()

    assert page["links"]["self"] == "http://rancher.corral.test/v2-beta/hosts"


def test_removed_rows_are_hidden_in_lists_unless_asked_for(rancher):
    client = rancher.project_client()
    host = client.by_id_host("1h9")
    host = client.wait_success(client.action(host, "deactivate"))
    client.wait_success(client.delete(host))

    assert _page(rancher, id="1h9")["data"] == []
    assert len(_page(rancher, id="1h9", _removed="true")["data"]) == 1
    assert rancher.get(f"{HOSTS}/1h9").status_code == 200


def test_environments_have_neither_pages_nor_filters(rancher):
    projects = rancher.get("/v2-beta/projects?state=nonsense").json()

    assert [project["id"] for project in projects["data"]] == ["1a5"]
    assert projects["pagination"] is None
    assert projects["filters"] == {}


def test_a_host_has_the_fields_of_the_api(rancher):
    host = rancher.get("/v2-beta/projects/1a5/hosts/1h1").json()

    wanted = {
        *("accountId", "actions", "agentIpAddress", "agentState", "baseType", "computeTotal"),
        *("created", "createdTS", "description", "hostTemplateId", "hostname", "id", "info"),
        *("instanceIds", "kind", "labels", "links", "localStorageMb", "memory", "milliCpu", "name"),
        *("physicalHostId", "publicEndpoints", "removed", "stackId", "state", "transitioning"),
        *("transitioningMessage", "transitioningProgress", "type", "uuid"),
    }
    assert set(host) == wanted
    assert set(rancher.get(f"{HOSTS}/1h1").json()) - wanted == {
        *("agentId", "apiProxy", "data", "removeTime"),
    }


def test_a_herd_of_ten_thousand_is_there_in_about_a_second(rancher):
    start = time.monotonic()

    herd = rancher.call(rancher.cluster.seed_herd, 10_000, 100, "Default", [("i-1", "10.9.9.9")])

    assert time.monotonic() - start < 4
    assert sum(host.phantom for host in herd) == 100
    first = next(host for host in herd if not host.phantom)
    assert (first.instance_id, first.private_ip) == ("i-1", "10.9.9.9")
