"""GETs that change something are recognised by their names."""

from __future__ import annotations

import pytest

from rules.routing.mirroring import has_effects


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/logout", None),
        ("logout", None),
        ("/LOGOUT", None),
        ("/user/verify/42", None),
        ("/oauth/authorize", None),
        ("/payment/return", None),
        ("/mail_unsubscribe.php", None),
        ("/Auth/LogOut/", None),
        ("/a", "token=1"),
        ("/a", "x=1&signature=s"),
        ("/a", "code=1&state=2"),
        ("/a", "_method=DELETE"),
        ("/orders/delete.php", "id=5"),
        ("/%6cogout", None),
        ("/user%2Flogout", None),
        ("/a", "%74oken=1"),
        ("/index.php", "r=site/logout"),
        ("/index.php", "r=site%2Flogout&x=1"),
        ("/index.php", "page=2&action=Delete"),
        ("/index.php", "do=order.cancel"),
        ("/", "q=user/logout"),
    ],
)
def test_a_get_with_effects_is_known(path: str, query: str | None) -> None:
    assert has_effects(path, query)


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/api/me", None),
        ("/returns-policy", None),
        ("/cancellations", "page=2"),
        ("/a", "code=1"),
        ("/a", "mytoken=1"),
        ("/verified", None),
        ("/deleted-items", None),
        ("/index.php", "r=catalog/view"),
        ("/search", "text=cancel"),
        ("/search", "q=cancel"),
        ("/a", "filter=return"),
        ("/100%25", "share=50%25"),
    ],
)
def test_a_plain_get_is_not(path: str, query: str | None) -> None:
    assert not has_effects(path, query)
