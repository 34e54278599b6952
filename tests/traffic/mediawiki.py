"""The access log of a small MediaWiki, as Apache writes it: readers, editors, a bot, scanners.

Targets and statuses are those that MediaWiki 1.39 makes with short URLs; how often each is asked for is a wiki's usual
mix of reading, its start-up modules, searching, editing.
"""

from __future__ import annotations

from collections.abc import Iterator

PAGES = ("Main_Page", "Help:Contents", "Widgets/Blue_one", "Project:About", "Caf%C3%A9", "Talk:Main_Page", "Pump_7")
WORDS = ("main", "blue%20widget", "caf%C3%A9", "pump", "who%3F")

# how often, method, target ({page}, {word}, {n} are filled in), status, referrer's path
ASKED = (
    (90, "GET", "/wiki/{page}", 200),
    (9, "GET", "/wiki/{page}_{n}", 404),
    (6, "GET", "/wiki/File:Pump_{n}.png", 200),
    (5, "GET", "/wiki/Category:Widgets", 200),
    (8, "GET", "/wiki/Special:RecentChanges?days=7&limit=50", 200),
    (60, "GET", "/w/load.php?lang=en&modules=ext.visual%7Cskins.vector.styles&only=styles&skin=vector", 200),
    (40, "GET", "/w/load.php?lang=en&modules=startup&only=scripts&raw=1&skin=vector", 200),
    (14, "GET", "/w/load.php?lang=en&modules=jquery&skin=vector&version=1h{n}x", 304),
    (18, "GET", "/w/index.php?title={page}&action=history", 200),
    (12, "GET", "/w/index.php?title={page}&action=edit", 200),
    (7, "POST", "/w/index.php?title={page}&action=submit", 302),
    (5, "GET", "/w/index.php?title={page}&diff=prev&oldid={n}", 200),
    (4, "GET", "/w/index.php?title={page}&oldid={n}", 200),
    (9, "GET", "/w/index.php?title=Special:Search&search={word}&fulltext=1", 200),
    (6, "GET", "/w/index.php?search={word}", 302),
    (6, "GET", "/w/index.php?title=Special:UserLogin&returnto={page}", 200),
    (5, "POST", "/w/index.php?title=Special:UserLogin&returnto={page}", 302),
    (2, "GET", "/w/index.php?title=Special:UserLogout&returnto={page}", 302),
    (2, "GET", "/w/index.php?title={page}&printable=yes", 200),
    (22, "GET", "/w/api.php?action=query&format=json&list=search&srsearch={word}", 200),
    (14, "GET", "/w/api.php?action=opensearch&format=json&search={word}&limit=10", 200),
    (7, "GET", "/w/api.php?action=parse&format=json&page={page}&prop=text", 200),
    (4, "POST", "/w/api.php", 200),
    (3, "GET", "/w/rest.php/v1/page/{page}", 200),
    (3, "GET", "/w/rest.php/v1/search/title?q={word}&limit=5", 200),
    (9, "GET", "/w/skins/Vector/resources/common/images/logo.svg?{n}", 200),
    (6, "GET", "/w/resources/assets/poweredby_mediawiki_88x31.png", 200),
    (8, "GET", "/w/images/thumb/a/a{n}/Pump_{n}.png/120px-Pump_{n}.png", 200),
    (4, "GET", "/w/images/b/b{n}/Pump_{n}.png", 200),
    (1, "GET", "/w/opensearch_desc.php", 200),
    (1, "GET", "/w/img_auth.php/secret.png", 403),
    (5, "GET", "/favicon.ico", 404),
    (3, "GET", "/robots.txt", 404),
    (4, "GET", "/wp-login.php", 404),
    (3, "POST", "/xmlrpc.php", 404),
    (2, "GET", "/.env", 404),
    (2, "GET", "/phpmyadmin/index.php?lang=en", 404),
    (1, "GET", "/vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php", 404),
)


def requests() -> Iterator[tuple[str, str, int]]:
    """Yield method, target and status of every request, mixed as they would come."""
    left = [[times, times, *row] for times, *row in ASKED]
    number = 0
    while any(row[0] for row in left):
        for row in left:
            # the rarer ones come as seldom as they are
            if row[0] and number % max(1, 90 // row[1]) == 0:
                row[0] -= 1
                page, word = PAGES[row[0] % len(PAGES)], WORDS[row[0] % len(WORDS)]
                yield row[2], row[3].format(page=page, word=word, n=row[0] % 9 + 1), row[4]
        number += 1


def log() -> str:
    """Return the log in the combined format."""
    lines = []
    for number, (method, target, status) in enumerate(requests()):
        at = f"20/Nov/2026:10:{number // 60 % 60:02}:{number % 60:02} +0000"
        size = 0 if status in (302, 304) else 1200 + number
        asked = f'"{method} {target} HTTP/1.1" {status} {size}'
        lines.append(f'10.0.0.{number % 40 + 1} - - [{at}] {asked} "-" "Mozilla/5.0"')
    return "\n".join(lines) + "\n"
