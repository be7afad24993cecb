"""Whose request it is behind proxies."""

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moltnet.entrypoints.rest.connections import client_address

PROXIES = (ip_network("10.0.0.0/8"), ip_network("2001:db8:ffff::/48"))
PROXY, CLIENT = "10.0.0.1", "192.0.2.7"


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        (CLIENT, [], CLIENT),
        (CLIENT, ["198.51.100.1"], CLIENT),
        (PROXY, [], PROXY),
        (PROXY, [CLIENT], CLIENT),
        (PROXY, [f"198.51.100.1, {CLIENT}"], CLIENT),
        (PROXY, ["198.51.100.1", CLIENT], CLIENT),
        (PROXY, [f"{CLIENT}, 10.0.0.3 ,10.0.0.2"], CLIENT),
        (PROXY, ["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        (PROXY, [f"{CLIENT}, unknown, 10.0.0.2"], "10.0.0.2"),
        (PROXY, [f"{CLIENT}, "], PROXY),
        (PROXY, [f"{CLIENT}:4711"], CLIENT),
        (PROXY, ["[2001:db8::7]:4711"], "2001:db8::7"),
        (PROXY, ["2001:DB8:0::7"], "2001:db8::7"),
        (f"::ffff:{PROXY}", [f"::ffff:{CLIENT}"], CLIENT),
        ("2001:db8:ffff::1", ["2001:db8::7"], "2001:db8::7"),
        ("", [CLIENT], ""),
    ],
)
def test_client_is_the_first_from_the_right_that_is_no_proxy_of_ours(peer, forwarded, client):
    assert client_address(peer, forwarded, PROXIES) == client


def test_nobody_is_trusted_without_trusted_proxies():
    assert client_address(PROXY, [CLIENT], ()) == PROXY


@given(st.text(), st.lists(st.text()))
def test_no_header_breaks_it(told, more):
    assert client_address(PROXY, [*more, told], PROXIES)


@given(st.lists(st.ip_addresses().map(str)))
def test_what_the_client_says_of_itself_changes_nothing(said):
    assert client_address(PROXY, [", ".join([*said, CLIENT]), "10.9.9.9"], PROXIES) == CLIENT
