"""Compares real PHP applications with themselves through the proxy: every difference is a false alarm.

1. MediaWiki, DokuWiki, WordPress, Adminer are fetched as Debian packages and unpacked: nothing is installed or started
2. two instances of each run with one state, and a third one with planted faults in some pages
3. pages, search, API, a log-in, an edit, an upload pass the proxy with `preset: php` and no other setting, at weight 0
   and 50
4. reported: pages that differ without a fault, whether the guard acted, whether each planted fault was found
5. where something was suggested: the same once more with these lines in the file, without and with the faults

    python -m bench.real_apps [--root FOLDER] [APP ...]
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from bench.processes import Running, free_port, started
from bench.strangler import ROOT, admin_of, command, environ, port_of

PASSWORD: Final = "Strangler-2026-Pass"
"""The password of applications that run for a minute."""
LIBRARIES: Final = (
    "php8.2-mbstring", "php8.2-intl", "php8.2-xml", "php8.2-mysql", "php8.2-sqlite3", "php8.2-gd", "php8.2-curl",
)  # fmt: skip
EXTENSIONS: Final = (
    "mbstring", "intl", "dom", "xml", "simplexml", "xmlreader", "xmlwriter", "sqlite3", "pdo_sqlite", "mysqlnd",
    "mysqli", "gd", "curl",
)  # fmt: skip
SETTLED_WITHIN: Final = 45.0
STILL_FOR: Final = 6.0
"""Seconds without another result after which pairs without one count as lost."""
WARMED_UP: Final = 6
WRITES_ARE_NEAR: Final = 2.5
ANY_CPU: Final = f"0-{(os.cpu_count() or 1) - 1}"
FAULTS: Final = """<?php
foreach (json_decode(getenv('FAULTS') ?: '[]', true) as [$place, $from, $to]) {
    if (str_contains($_SERVER['REQUEST_URI'], $place)) {
        ob_start(fn($body) => str_replace($from, $to, $body));
    }
}
"""
UPLOADED: Final = "shed.png"
PICTURE: Final = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c63f8cfc0f01f0005000"
    "1ff56c72f0d0000000049454e44ae426082"
)
"""One pixel."""
BOUNDARY: Final = "strangler-real-apps"
Fault = tuple[str, str, str]
"""A part of a request target, with the replacements in the responses to it."""


class SkippedError(Exception):
    """An application cannot run here; the text is the reason."""


@dataclass(frozen=True, slots=True)
class Site:
    """An application that is ready to be served: `options` are php's, `log_in` the form that logs in at its target.

    `upload` sends PICTURE as UPLOADED and returns the page that names it then; without it there is no log-in. `needs`
    are the settings without which its twins differ; they have to be suggested. `session` is `share` where hardly a page
    is for strangers: legacy can be asked again only as the user there.
    """

    docroot: Path
    pages: tuple[str, ...]
    members: tuple[str, ...]
    faults: tuple[Fault, ...]
    options: tuple[str, ...] = ()
    prepend: str = ""
    log_in: Callable[[Visitor], None] = field(default=lambda _: None)
    edit: Callable[[Visitor], None] = field(default=lambda _: None)
    upload: Callable[[Visitor], str] | None = None
    needs: tuple[str, ...] = ()
    session: str = "strip"


# Packages.


def unpack(root: Path, packages: Sequence[str]) -> Path:
    """Fetch `packages`, unpack them below `root`; links that lead outside are redirected into it."""
    debs, tree = root / "packages", root / "tree"
    debs.mkdir(parents=True, exist_ok=True)
    missing = [name for name in packages if not any(debs.glob(f"{name}_*.deb"))]
    if missing:
        _run(["apt-get", "download", *missing], cwd=debs)
    shutil.rmtree(tree, ignore_errors=True)
    tree.mkdir()
    for name in packages:
        _run(["dpkg", "-x", str(max(debs.glob(f"{name}_*.deb"))), str(tree)])
    for folder, folders, files in os.walk(tree):
        for link in (Path(folder, name) for name in (*folders, *files)):
            if link.is_symlink() and (there := link.readlink()).is_absolute() and not there.is_relative_to(root):
                link.unlink()
                link.symlink_to(Path(f"{tree}{there}"))
    return tree


def php_options(tree: Path) -> tuple[str, ...]:
    """Return the options that load what this machine's php lacks from the unpacked packages."""
    have = {line.strip().lower() for line in _run(["php", "-m"]).splitlines()}
    found = {path.stem: path for path in tree.glob("usr/lib/php/*/*.so")}
    loaded = [f"-dextension={found[name]}" for name in EXTENSIONS if name not in have and name in found]
    return (*loaded, f"-dinclude_path=.:{tree}/usr/share/php", "-dmemory_limit=256M", "-dopcache.enable_cli=1")


def _move_paths(tree: Path, folder: Path, written: str) -> None:
    """Rewrite paths in sources to paths inside `tree`; `written` begins with a quote."""
    for file in folder.rglob("*.php"):
        text = file.read_text("utf-8", "surrogateescape")
        if written in text:
            file.write_text(text.replace(written, f"'{tree}{written[1:]}"), "utf-8", "surrogateescape")


def _run(words: Sequence[str], *, cwd: Path | None = None, seconds: float = 300.0, **environment: str) -> str:
    done = subprocess.run(
        words, cwd=cwd, capture_output=True, text=True, timeout=seconds, env={**os.environ, **environment}, check=False
    )
    if done.returncode:
        raise SkippedError(f"{' '.join(words[:4])}: {(done.stderr or done.stdout).strip()[-500:]}")
    return done.stdout


# A user with a browser.


class Visitor:
    """Requests pages from the proxy, keeps cookies; `cookies` grow with responses."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.cookies: dict[str, str] = {}
        self.failed: list[str] = []

    def send_file(self, target: str, form: Mapping[str, str], name: str) -> str:
        """Send a form with PICTURE under a field's name, as a browser does; return the answer's body."""
        fields = [(f'name="{key}"', value.encode()) for key, value in form.items()]
        fields.append((f'name="{name}"; filename="{UPLOADED}"\r\nContent-Type: image/png', PICTURE))
        parts = [
            f"--{BOUNDARY}\r\nContent-Disposition: form-data; {head}\r\n\r\n".encode() + value + b"\r\n"
            for head, value in fields
        ]
        body = b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()
        return self.ask(target, None, body)

    def ask(self, target: str, form: Mapping[str, str] | None = None, file: bytes | None = None) -> str:
        """Return the body of one answer; a failed one is noted. `form` or `file` (a form with one) are posted."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        headers = {"User-Agent": "Mozilla/5.0 real-apps", "Accept": "text/html,*/*"}
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        body: bytes | None = file
        if form is not None:
            body, headers["Content-Type"] = urlencode(form).encode(), "application/x-www-form-urlencoded"
        elif file is not None:
            headers["Content-Type"] = f"multipart/form-data; boundary={BOUNDARY}"
        connection.request("GET" if body is None else "POST", target, body, headers)
        answer = connection.getresponse()
        text = answer.read().decode("utf-8", "replace")
        for line in answer.headers.get_all("Set-Cookie") or ():
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value
        if answer.status >= http.client.INTERNAL_SERVER_ERROR:
            self.failed.append(f"{target}: {answer.status}")
        connection.close()
        return text

    def hidden(self, page: str) -> dict[str, str]:
        """Return the hidden fields of a page's forms that are posted: a search box has its own."""
        found: dict[str, str] = {}
        forms = re.findall(r"(?is)<form[^>]*method=[\"']?post.*?</form>", self.ask(page))
        for tag in re.findall(r"<input[^>]*type=[\"']hidden[\"'][^>]*>", "".join(forms)):
            name, value = (re.search(rf"\b{word}=[\"']([^\"']*)", tag) for word in ("name", "value"))
            if name is not None:
                found[name[1]] = (value[1] if value else "").replace("&#43;", "+").replace("&#92;", "\\")
        return found


# The applications.


def dokuwiki(root: Path, tree: Path, options: tuple[str, ...], _port: int) -> Site:
    """DokuWiki keeps everything in files; both instances give their cookies the same names."""
    return _dokuwiki(root, tree, options, "$conf['securecookie']=0;\n")


def dokuwiki_by_port(root: Path, tree: Path, options: tuple[str, ...], _port: int) -> Site:
    """DokuWiki as it comes: a cookie's name is a hash of the port, so a log-in at one instance is none at the other."""
    site = _dokuwiki(root, tree, options)
    return replace(site, upload=None, needs=("equivalent: cookies",))


def _dokuwiki(root: Path, tree: Path, options: tuple[str, ...], setting: str = "") -> Site:
    conf, data = root / "dokuwiki-conf", root / "dokuwiki-data"
    _move_paths(tree, tree / "usr/share/dokuwiki", "'/usr/share/php")
    shutil.rmtree(data, ignore_errors=True)
    shutil.rmtree(conf, ignore_errors=True)
    shutil.copytree(tree / "var/lib/dokuwiki/data", data, ignore_dangling_symlinks=True)
    shutil.copytree(tree / "etc/dokuwiki", conf, symlinks=True)
    for name in ("local.php", "users.auth.php", "acl.auth.php"):
        (conf / name).unlink(missing_ok=True)
    secret = _run(["php", "-r", f"echo password_hash('{PASSWORD}', PASSWORD_BCRYPT);"])
    (conf / "users.auth.php").write_text(f"admin:{secret}:Admin:admin@example.test:admin,user\n")
    (conf / "acl.auth.php").write_text("*\t@ALL\t8\n")
    (conf / "local.php").write_text(
        f"<?php\n$conf['title']='Tools';\n$conf['savedir']='{data}';\n$conf['useacl']=1;\n$conf['superuser']='@admin';\n"
        f"$conf['disableactions']='';\n$conf['updatecheck']=0;\n{setting}"
    )
    pages = data / "pages"
    for number in range(12):
        text = f"====== Page {number} ======\nThe hammer of page {number} costs 12.{number:02} EUR.\n\n"
        (pages / f"page{number}.txt").write_text(f"{text}  * [[page{(number + 1) % 12}]]\n  * [[start]]\n")
    (pages / "start.txt").write_text("====== Welcome ======\nA shed of tools.\n")
    _run(
        [
            "php",
            *options,
            f"-dauto_prepend_file={_doku_prepend(root, conf)}",
            str(tree / "usr/share/dokuwiki/bin/indexer.php"),
            "-c",
            "-q",
        ]
    )
    reads = [f"/doku.php?id=page{number}" for number in range(12)]
    reads += ["/doku.php?id=start", "/doku.php?id=start&do=index", "/doku.php?do=search&q=hammer", "/doku.php?id=none"]
    reads += [
        "/doku.php?id=start&do=recent",
        "/doku.php?id=page1&do=backlink",
        "/feed.php",
        "/doku.php?id=start&do=login",
    ]
    reads += [
        f"/doku.php?id=page{number}&do={what}"
        for number in (1, 2)
        for what in ("revisions", "edit", "export_raw", "export_xhtml")
    ]
    reads += ["/lib/exe/css.php?s=feed", "/lib/exe/js.php", "/lib/exe/opensearch.php"]

    def log_in(visitor: Visitor) -> None:
        form = visitor.hidden("/doku.php?id=start&do=login")
        visitor.ask("/doku.php?id=start&do=login", {**form, "u": "admin", "p": PASSWORD, "do": "login", "id": "start"})

    def edit(visitor: Visitor) -> None:
        form = visitor.hidden("/doku.php?id=page3&do=edit")
        visitor.ask("/doku.php?id=page3", {**form, "wikitext": "A nail, 3 EUR.", "do[save]": "1", "summary": "less"})

    def upload(visitor: Visitor) -> str:
        form = visitor.hidden("/doku.php?id=start&do=media&tab_files=upload")
        kept = {key: value for key, value in form.items() if key in {"sectok", "ns"}}
        visitor.send_file("/doku.php?id=start&do=media&tab_files=upload", {**kept, "mediaid": UPLOADED}, "upload")
        return "/doku.php?id=start&do=media&tab_files=files"

    return Site(
        tree / "usr/share/dokuwiki",
        tuple(reads),
        (*reads[12:13], "/doku.php?id=page3", "/doku.php?id=start&do=profile", "/doku.php?id=page3&do=revisions"),
        (("id=page4", "12.04", "12.05"), ("id=page5", "The hammer", "The hamer"), ("do=search", "page7", "page8")),
        options,
        f"define('DOKU_CONF', '{conf}/'); define('DOKU_MAIN_CONF', '{conf}/');",
        log_in,
        edit,
        upload,
    )  # fmt: skip


def _doku_prepend(root: Path, conf: Path) -> Path:
    file = root / "dokuwiki-prepend.php"
    file.write_text(f"<?php define('DOKU_CONF', '{conf}/'); define('DOKU_MAIN_CONF', '{conf}/');")
    return file


def mediawiki(root: Path, tree: Path, options: tuple[str, ...], port: int) -> Site:
    """MediaWiki with SQLite; both instances have one data folder."""
    docroot, data = tree / "usr/share/mediawiki", root / "mediawiki-data"
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir()
    settings = docroot / "LocalSettings.php"
    settings.unlink(missing_ok=True)
    install = [
        "--dbtype", "sqlite", "--dbpath", str(data), "--confpath", str(data), "--server", f"http://127.0.0.1:{port}",
        "--scriptpath", "", "--dbname", "wiki", "--pass", PASSWORD, "Tools", "Admin",
    ]  # fmt: skip
    _run(["php", *options, str(docroot / "maintenance/install.php"), *install])
    more = "$wgJobRunRate = 0; $wgDisableCounters = true; $wgMainCacheType = CACHE_DB;\n"
    more += f"$wgEnableUploads = true; $wgUploadDirectory = '{data}/images'; $wgUploadPath = '/images';\n"
    (data / "images").mkdir()
    settings.write_text((data / "LocalSettings.php").read_text() + more)
    for number in range(10):
        text = f"The hammer of tool {number} costs 12.{number:02} EUR. See [[Tool {(number + 1) % 10}]]."
        _edit_page(options, docroot, f"Tool {number}", f"{text}\n[[Category:Tools]]")
    titles = ["Main_Page", *(f"Tool_{number}" for number in range(10)), "Category:Tools", "Nothing_here"]
    reads = [f"/index.php?title={title}" for title in titles]
    reads += [f"/index.php?title=Special:{name}" for name in (
        "RecentChanges", "AllPages", "Version", "Search&search=hammer", "SpecialPages", "Statistics", "UserLogin",
        "ListUsers", "Categories", "WhatLinksHere/Tool_1",
    )]  # fmt: skip
    reads += [
        f"/index.php?title=Tool_{number}&action={what}"
        for number in (1, 2)
        for what in ("history", "raw", "info", "edit")
    ]
    reads += [f"/api.php?action=query&format=json&{what}" for what in (
        "meta=siteinfo", "list=allpages", "titles=Tool_1&prop=revisions&rvprop=content", "list=search&srsearch=hammer",
    )]  # fmt: skip
    reads += ["/api.php?action=parse&page=Tool_1&format=json", "/load.php?modules=startup&only=scripts&raw=1&lang=en"]

    def log_in(visitor: Visitor) -> None:
        form = visitor.hidden("/index.php?title=Special:UserLogin")
        visitor.ask(
            "/index.php?title=Special:UserLogin",
            {**form, "wpName": "Admin", "wpPassword": PASSWORD, "wploginattempt": "Log in"},
        )

    def edit(visitor: Visitor) -> None:
        form = visitor.hidden("/index.php?title=Tool_3&action=edit")
        visitor.ask("/index.php?title=Tool_3&action=submit", {**form, "wpTextbox1": "A nail, 3 EUR.", "wpSave": "Save"})

    def upload(visitor: Visitor) -> str:
        form = visitor.hidden("/index.php?title=Special:Upload")
        more = {"wpDestFile": UPLOADED, "wpUploadDescription": "A shed.", "wpSourceType": "file"}
        send = {"wpUpload": "Upload file", "wpIgnoreWarning": "1"}
        visitor.send_file("/index.php?title=Special:Upload", {**form, **more, **send}, "wpUploadFile")
        return "/index.php?title=Special:ListFiles"

    return Site(
        docroot,
        tuple(reads),
        tuple(f"/index.php?title={title}" for title in ("Main_Page", "Tool_3", "Special:Watchlist")),
        (
            ("title=Tool_4", "12.04", "12.05"),
            ("title=Tool_5", "The hammer", "The hamer"),
            ("rvprop=content", "12.01", "12.10"),
        ),
        options,
        "",
        log_in,
        edit,
        upload,
    )  # fmt: skip


def _edit_page(options: tuple[str, ...], docroot: Path, title: str, text: str) -> None:
    words = ["php", *options, str(docroot / "maintenance/edit.php"), "-u", "Admin", "-s", "first", title]
    done = subprocess.run(words, input=text, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode:
        raise SkippedError(f"edit.php: {done.stderr[-300:] or done.stdout[-300:]}")


def wordpress(root: Path, tree: Path, options: tuple[str, ...], port: int) -> Site:
    """WordPress with a MariaDB of its own, connected over a socket (`database` has started it)."""
    docroot, content = tree / "usr/share/wordpress", root / "wordpress-content"
    shutil.rmtree(content, ignore_errors=True)
    shutil.copytree(docroot / "wp-content", content, ignore_dangling_symlinks=True)
    url = f"http://127.0.0.1:{port}"
    keys = (
        "AUTH_KEY",
        "SECURE_AUTH_KEY",
        "LOGGED_IN_KEY",
        "NONCE_KEY",
        "AUTH_SALT",
        "SECURE_AUTH_SALT",
        "LOGGED_IN_SALT",
        "NONCE_SALT",
    )
    constants = {
        "DB_NAME": "wp", "DB_USER": "root", "DB_PASSWORD": "", "DB_HOST": f"localhost:{root}/mariadb.sock",
        "DB_CHARSET": "utf8mb4", "DB_COLLATE": "", "WP_HOME": url, "WP_SITEURL": url, "WP_CONTENT_DIR": str(content),
        **{key: key.lower() * 4 for key in keys},
    }  # fmt: skip
    lines = [f"define('{name}', '{value}');" for name, value in constants.items()]
    lines += ["define('DISABLE_WP_CRON', true);", "define('WP_HTTP_BLOCK_EXTERNAL', true);", "$table_prefix = 'wp_';"]
    lines += ["if (!defined('ABSPATH')) define('ABSPATH', __DIR__ . '/');", "require_once ABSPATH . 'wp-settings.php';"]
    (docroot / "wp-config.php").write_text("<?php\n" + "\n".join(lines) + "\n")
    _run(["php", *options, "-r", (
        f"define('WP_INSTALLING', true); $_SERVER['HTTP_HOST']='127.0.0.1:{port}'; require '{docroot}/wp-load.php';"
        "require ABSPATH . 'wp-admin/includes/upgrade.php';"
        f"wp_install('Tools', 'admin', 'a@example.test', true, '', '{PASSWORD}');"
        # Posts of one second have no order of their own: the database is free to give each answer another one.
        "for ($n = 0; $n < 8; $n++) wp_insert_post(['post_title' => \"Tool $n\", 'post_status' => 'publish',"
        "'post_date' => \"2026-02-1$n 10:00:00\","
        "'post_content' => \"The hammer of tool $n costs 12.0$n EUR.\"]);"
        # The first look at a dashboard ever makes a draft for its form: two at once make two.
        "$draft = wp_insert_post(['post_title' => 'Auto Draft', 'post_status' => 'auto-draft', 'post_author' => 1]);"
        "update_user_option(1, 'dashboard_quick_press_last_post_id', $draft);"
    )])  # fmt: skip
    reads = [
        "/",
        "/?feed=rss2",
        "/?s=hammer",
        "/wp-login.php",
        "/?p=1",
        "/?page_id=2",
        "/?author=1",
        "/?cat=1",
        "/?p=999",
    ]
    reads += [f"/?p={number}" for number in range(4, 12)]
    reads += [
        f"/index.php?rest_route=/wp/v2/{what}" for what in ("posts", "pages", "categories", "search&search=hammer")
    ]

    def log_in(visitor: Visitor) -> None:
        visitor.ask("/wp-login.php")
        visitor.ask("/wp-login.php", {"log": "admin", "pwd": PASSWORD, "wp-submit": "Log In", "testcookie": "1"})

    def edit(visitor: Visitor) -> None:
        form = {"comment_post_ID": "1", "comment": "A nail, 3 EUR.", "author": "A", "email": "a@example.test"}
        visitor.ask("/wp-comments-post.php", form)

    def upload(visitor: Visitor) -> str:
        form = visitor.hidden("/wp-admin/media-new.php?browser-uploader")
        kept = {key: value for key, value in form.items() if key in {"_wpnonce", "_wp_http_referer", "post_id"}}
        visitor.send_file("/wp-admin/media-new.php", {"post_id": "0", **kept, "html-upload": "Upload"}, "async-upload")
        return "/wp-admin/upload.php?mode=list"

    return Site(
        docroot,
        tuple(reads),
        ("/", "/wp-admin/index.php", "/wp-admin/edit.php", "/?p=1"),
        (("/?s=", "12.03", "12.30"), ("feed=rss2", "The hammer", "The hamer"), ("/wp/v2/posts", "12.01", "12.10")),
        options,
        "",
        log_in,
        edit,
        upload,
    )


def adminer(root: Path, tree: Path, options: tuple[str, ...], _port: int) -> Site:
    """Adminer over the MariaDB that `database` has started; every page has a nonce, a token, how long queries took."""
    docroot, socket = tree / "usr/share/adminer/adminer", f"{root}/mariadb.sock"
    server, temporary = f"localhost:{socket}", root / "adminer-tmp"
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    rows = ", ".join(f"({n}, 'hammer {n}', {n}.50, '2026-02-1{n % 10} 10:00:00')" for n in range(1, 25))
    _run(["mariadb", "--no-defaults", f"--socket={socket}", "-uroot", "-e", (
        "CREATE DATABASE shed; USE shed; CREATE TABLE tools (id int primary key, name varchar(40), price decimal(8,2),"
        f" bought datetime); INSERT INTO tools VALUES {rows};"
        f" CREATE USER member@localhost IDENTIFIED BY '{PASSWORD}'; GRANT ALL ON shed.* TO member@localhost;"
    )])  # fmt: skip
    base = f"/?{urlencode({'server': server, 'username': 'member', 'db': 'shed'})}"
    kinds = (
        "", "&table=tools", "&select=tools", "&select=tools&page=1&limit=10", "&edit=tools&where%5Bid%5D=3", "&sql=",
        "&sql=select+sum(price)+from+tools", "&dump=tools", "&create=tools", "&indexes=tools", "&schema=",
        "&select=tools&where%5B0%5D%5Bcol%5D=name&where%5B0%5D%5Bop%5D=LIKE+%25%25&where%5B0%5D%5Bval%5D=7",
    )  # fmt: skip

    def log_in(visitor: Visitor) -> None:
        # Copies with a session that a log-in has ended count as attempts; too many lock everything for half an hour.
        (temporary / "adminer.invalid").unlink(missing_ok=True)
        visitor.ask("/")
        form = {"driver": "server", "server": server, "username": "member", "password": PASSWORD, "db": "shed"}
        visitor.ask("/", {f"auth[{name}]": value for name, value in form.items()})

    def edit(visitor: Visitor) -> None:
        form = visitor.hidden(f"{base}&edit=tools&where%5Bid%5D=3")
        row = {"id": "3", "name": f"saw {UPLOADED}", "price": "3.50", "bought": "2026-02-13 10:00:00"}
        fields = {f"fields[{name}]": value for name, value in row.items()}
        visitor.ask(f"{base}&edit=tools&where%5Bid%5D=3", {**form, **fields, "save": "Save"})

    return Site(
        docroot,
        ("/", "/?lang=de", "/?lang=nl"),
        tuple(f"{base}{kind}" for kind in (*kinds, *kinds, *kinds)),
        (("select=tools", "7.50", "7.05"), ("table=tools", "decimal", "double"), ("edit=tools", "bought", "bougth")),
        (*options, f"-dupload_tmp_dir={temporary}"),
        "",
        log_in,
        edit,
        lambda _: f"{base}&select=tools",
        session="share",
    )


@contextlib.contextmanager
def database(root: Path) -> Iterator[None]:
    """Run a MariaDB that only listens on a socket below `root`."""
    data, socket = root / "mariadb-data", root / "mariadb.sock"
    shutil.rmtree(data, ignore_errors=True)
    socket.unlink(missing_ok=True)
    server = shutil.which("mariadbd", path=f"{os.environ['PATH']}:/usr/sbin")
    if server is None or shutil.which("mariadb-install-db") is None:
        raise SkippedError("no mariadbd here (package mariadb-server-core)")
    who = ["--user=root"] if os.geteuid() == 0 else []
    _run(["mariadb-install-db", "--no-defaults", f"--datadir={data}", "--auth-root-authentication-method=normal", *who])
    words = [server, "--no-defaults", f"--datadir={data}", f"--socket={socket}", "--skip-networking", *who]
    with (root / "mariadb.log").open("wb") as log:
        process = subprocess.Popen(words, stdout=log, stderr=log, start_new_session=True)
    try:
        end = time.monotonic() + 60
        while not socket.exists() and process.poll() is None and time.monotonic() < end:
            time.sleep(0.1)
        _run(["mariadb", "--no-defaults", f"--socket={socket}", "-uroot", "-e", "CREATE DATABASE wp"])
        yield
    finally:
        process.terminate()
        process.wait(30)


APPS: Final[Mapping[str, tuple[tuple[str, ...], Callable[[Path, Path, tuple[str, ...], int], Site]]]] = {
    "adminer": (("adminer",), adminer),
    "dokuwiki": (("dokuwiki", "php-geshi", "php-phpseclib", "php-random-compat", "libphp-simplepie"), dokuwiki),
    "dokuwiki-by-port": (
        ("dokuwiki", "php-geshi", "php-phpseclib", "php-random-compat", "libphp-simplepie"),
        dokuwiki_by_port,
    ),
    "mediawiki": (("mediawiki", "mediawiki-classes"), mediawiki),
    "wordpress": (
        ("wordpress", "wordpress-theme-twentytwentythree", "php-getid3", "libjs-cropper", "libjs-underscore"),
        wordpress,
    ),
}


# Runs.


@contextlib.contextmanager
def serving(root: Path, name: str, site: Site, faults: Sequence[Fault] = ()) -> Iterator[int]:
    """Serve one instance with php's own server; `faults` are planted into its responses."""
    folder = root / f"run-{name}"
    folder.mkdir(exist_ok=True)
    prepend = folder / "prepend.php"
    prepend.write_text(FAULTS.replace("<?php", f"<?php {site.prepend}"))
    port = free_port()
    words = [
        "php",
        *site.options,
        f"-dauto_prepend_file={prepend}",
        "-ddisplay_errors=0",
        "-S",
        f"127.0.0.1:{port}",
        "-t",
        str(site.docroot),
    ]
    environment = {**os.environ, "PHP_CLI_SERVER_WORKERS": "3", "FAULTS": json.dumps(list(faults))}
    with started(words, ANY_CPU, folder, port_of=lambda _: port, environ=environment):
        yield port


@contextlib.contextmanager
def proxy(
    root: Path, port: int, legacy: int, modern: int, weight: int, session: str, pasted: Sequence[str] = ()
) -> Iterator[Running]:
    """Run the proxy in front of both, with `preset: php` and no other setting but those `pasted`."""
    folder = root / "run-proxy"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    config = folder / "proxy.yaml"
    config.write_text(
        f"""\
version: 1
listen: {{address: "127.0.0.1:{port}", drain: 1s}}
admin: {{address: "127.0.0.1:0"}}
store: memory
backends:
  legacy: {{url: "http://127.0.0.1:{legacy}"}}
  modern: {{url: "http://127.0.0.1:{modern}"}}
identity: [sticky]
routes:
  - name: reads
    match: {{path: "/**", methods: [GET]}}
    rollout: {{weight: {weight}, by: request}}
    shadow: {{sample: 100%, session: {session}}}
    compare:
      preset: php
"""
        + settings(pasted)
    )
    with started(command(config), ANY_CPU, folder, port_of=port_of, environ=environ(ROOT)) as running:
        yield running


def settings(pasted: Sequence[str]) -> str:
    """Return suggestions (`setting: entry`) as the lines of `compare` that a person would write."""
    entries: dict[str, list[str]] = {}
    single = []
    for setting, _, entry in (each.partition(": ") for each in pasted):
        if setting == "noise":
            single.append(f"      {setting}: {entry}\n")
        else:
            entries.setdefault(setting, []).append(entry)
    lists = (f"      {name}:\n" + "".join(f"        - {each}\n" for each in all_) for name, all_ in entries.items())
    return "".join([*single, *lists])


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one run; `differing` are the requests of groups that count."""

    mode: str
    pages: int
    compare: Mapping[str, Any]
    differing: tuple[str, ...]
    places: tuple[str, ...]
    rolled_back: bool
    failed: tuple[str, ...]
    found: tuple[str, ...] = ()
    missed: tuple[str, ...] = ()
    suggested: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    """Settings without which this run's twins differ."""

    @property
    def is_fine(self) -> bool:
        """Whether every fault was found, what is needed was suggested, at most 1 pair in 100 of twins differs."""
        compared = self.compare["equal"] + self.compare["noise"] + self.compare["different"]
        are_twins = not self.found and not self.missed and not self.needs
        alarms = are_twins and (self.rolled_back or 100 * self.compare["different"] > compared)
        return not (self.missed or alarms or set(self.needs) - set(self.suggested))

    def lines(self) -> Iterator[str]:
        """Yield the report."""
        totals = self.compare
        told = f"{totals['different']} of {totals['eligible']} pairs differ"
        rest = ", ".join(f"{totals[name]} {name}" for name in ("equal", "noise", "transient", "not_compared"))
        yield f"  {self.mode}: {told} ({rest}){'; ROLLED BACK' if self.rolled_back else ''}"
        if totals["reasons"]:
            yield f"    not compared: {totals['reasons']}"
        yield from (f"    differs: {place}" for place in self.places[:12])
        yield from (f"    failed: {each}" for each in self.failed[:5])
        yield from (f"    suggested: {each}" for each in self.suggested[:12])
        if self.found or self.missed:
            yield f"    faults found {len(self.found)} of {len(self.found) + len(self.missed)}" + "".join(
                f"; missed {each}" for each in self.missed
            )


def drive(site: Site, port: int, *, rounds: int) -> tuple[int, list[str]]:
    """Send a stranger, then a member who logs in, edits, uploads, over the pages; return how many, what failed."""
    stranger, member = Visitor(port), Visitor(port)
    asked = 0
    for _ in range(rounds):
        for page in site.pages:
            stranger.ask(page)
            stranger.cookies.clear()
            asked += 1
    if site.upload is None:
        return asked, stranger.failed
    site.log_in(member)
    site.edit(member)
    listed = site.upload(member)
    if UPLOADED.lower() not in member.ask(listed).lower().replace("_", " "):
        member.failed.append(f"{listed}: {UPLOADED} is not there, so the log-in or the upload failed")
    asked += 1
    # A read beside a write of the same user counts only where it is equal.
    time.sleep(WRITES_ARE_NEAR)
    for page in site.members:
        member.ask(page)
        asked += 1
    return asked, [*stranger.failed, *member.failed]


def outcome(
    site: Site, mode: str, running: Running, faults: Sequence[Fault], rounds: int, needs: tuple[str, ...] = ()
) -> Outcome:
    """Run to the end, read the proxy's status."""
    admin = Visitor(admin_of(running.output))
    asked, failed = drive(site, running.port, rounds=rounds)
    route = _settled(admin)
    groups = json.loads(admin.ask("/api/v1/diffs?limit=500"))["items"]
    requests = sorted({example["request"] for group in groups for example in group["examples"]})
    places = tuple(
        f"{group['count']}x {group['path']} ({group['kind']}) {example['request']}: "
        f"{example['legacy'][:70]} | {example['modern'][:70]}"
        for group in groups
        for example in group["examples"][:1]
    )
    examples = [example for group in groups for example in group["examples"]]
    here = {
        place: any(place in each["request"] and planted in each["modern"] for each in examples)
        for place, _, planted in faults
    }
    is_back = route["rolled_back"] is not None
    noise = json.loads(admin.ask("/api/v1/noise"))["items"]
    learned = {f"{each['setting']}: {each['entry']}" for each in noise if each.get("setting")}
    return Outcome(
        mode, asked, route["compare"]["totals"], tuple(requests), places, is_back, tuple(failed),
        tuple(place for place, is_found in here.items() if is_found),
        tuple(place for place, is_found in here.items() if not is_found),
        tuple(sorted({*(f"equivalent: {each['rule']}" for each in examples if each["rule"] == "cookies"), *learned})),
        needs,
    )  # fmt: skip


def _settled(admin: Visitor) -> dict[str, Any]:
    """Return the route's status once every pair has a result, or as it is when that takes too long."""
    end = time.monotonic() + SETTLED_WITHIN
    last, still_since = -1, time.monotonic()
    while True:
        route: dict[str, Any] = json.loads(admin.ask("/api/v1/routes/reads"))
        totals = route["compare"]["totals"]
        counted = sum(totals[name] for name in ("equal", "different", "noise", "transient", "not_compared"))
        now = time.monotonic()
        if counted != last:
            last, still_since = counted, now
        if (totals["eligible"] and counted >= totals["eligible"]) or now > end or now - still_since > STILL_FOR:
            return route
        time.sleep(0.5)


def _warm_up(site: Site, instance: int) -> None:
    """Have an instance fill its caches: the first page of some takes longer than a copy may."""
    visitor = Visitor(instance)
    for page in site.pages[:WARMED_UP]:
        visitor.ask(page)


def run(name: str, root: Path, rounds: int) -> list[Outcome]:
    """Run one application in every mode; SkippedError where it cannot run here."""
    packages, prepare = APPS[name]
    tree = unpack(root, (*LIBRARIES, *packages))
    port = free_port()
    with contextlib.ExitStack() as stack:
        if name in {"adminer", "wordpress"}:
            stack.enter_context(database(root))
        site = prepare(root, tree, php_options(tree), port)
        legacy = stack.enter_context(serving(root, f"{name}-legacy", site))
        modern = stack.enter_context(serving(root, f"{name}-modern", site))
        faulty = stack.enter_context(serving(root, f"{name}-faulty", site, site.faults))
        for instance in (legacy, modern, faulty):
            _warm_up(site, instance)
        outcomes: list[Outcome] = []
        for mode, other, weight, faults in (
            ("twins at weight 0", modern, 0, ()),
            ("twins at weight 50", modern, 50, ()),
            ("planted faults at weight 0", faulty, 0, site.faults),
        ):
            with proxy(root, port, legacy, other, weight, site.session) as running:
                outcomes.append(outcome(site, mode, running, faults, rounds, site.needs))
        if pasted := outcomes[0].suggested:
            for mode, other, faults in (("twins", modern, ()), ("planted faults", faulty, site.faults)):
                with proxy(root, port, legacy, other, 0, site.session, pasted) as running:
                    outcomes.append(outcome(site, f"{mode} with what was suggested", running, faults, rounds))
    return outcomes


def main() -> int:
    """Run the chosen applications.

    1 where a planted fault was missed, or more than 1 pair in 100 without a fault differs.
    """
    parser = argparse.ArgumentParser(prog="python -m bench.real_apps", description=__doc__.splitlines()[0])
    parser.add_argument("apps", nargs="*", help=f"of {', '.join(APPS)}; all where left out")
    parser.add_argument("--root", type=Path, default=Path("build/real-apps"), help="where they are unpacked")
    parser.add_argument("--rounds", type=int, default=2, help="how often each page is asked for")
    arguments = parser.parse_args()
    if unknown := [name for name in arguments.apps if name not in APPS]:
        parser.error(f"unknown: {', '.join(unknown)}; there are {', '.join(APPS)}")
    root: Path = arguments.root.resolve()
    is_fine = True
    for name in arguments.apps or APPS:
        print(name, flush=True)
        try:
            outcomes = run(name, root, arguments.rounds)
        except SkippedError as reason:
            print(f"  not run: {reason}")
            is_fine = False
            continue
        for each in outcomes:
            print(*each.lines(), sep="\n", flush=True)
            is_fine = is_fine and each.is_fine
    return 0 if is_fine else 1


if __name__ == "__main__":
    sys.exit(main())
