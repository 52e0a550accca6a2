"""The pages that health checks and tests ask for."""

import json
import logging
import threading
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import psycopg2

from . import database, manager
from .config import VERSION

log = logging.getLogger("odoo.http")

SAMPLE = 20

PAGE = """<!DOCTYPE html>
<html><head><title>Odoo</title>{robots}</head><body>
{banner}
<p><strong>{version}</strong></p>
<form class="oe_login_form" action="/web/login" method="post">
<input name="login"/><input name="password" type="password"/><button type="submit">Log in</button>
</form>
<p>database {database}, base URL {base_url}</p>
</body></html>
"""


def start(config) -> list[ThreadingHTTPServer]:
    servers = []
    for port in (config.http_port, config.gevent_port):
        handler = type("Handler", (Requests,), {"config": config, "longpolling": port == config.gevent_port})
        server = ThreadingHTTPServer(("0.0.0.0", port), handler)
        threading.Thread(target=server.serve_forever, name=f"http{port}", daemon=True).start()
        log.info("HTTP service running on port %s", port)
        servers.append(server)
    return servers


def read_state(config) -> dict:
    """What the served database looks like. Raises when it cannot be opened or is no Odoo database."""
    names = config.databases or database.owned(config)
    if len(names) != 1:
        raise LookupError(f"no single database to serve: {names}")
    with database.cursor(config, names[0]) as cr:
        def count(query: str) -> int:
            cr.execute(f"SELECT count(*) FROM {query}")
            return cr.fetchone()[0]

        cr.execute(
            "SELECT store_fname FROM ir_attachment WHERE store_fname !~ '^[^/]*:' ORDER BY md5(store_fname) LIMIT %s", [SAMPLE]
        )
        sample = [name for (name,) in cr.fetchall()]
        missing = [name for name in sample if not readable(config.filestore / names[0] / name)]
        return {
            "database": names[0],
            "web.base.url": database.parameter(cr, "web.base.url"),
            "neutralized": database.parameter(cr, "database.is_neutralized") == "true",
            "banner": count("ir_ui_view WHERE key = 'web.neutralize_banner' AND active") > 0,
            "modules": count("ir_module_module WHERE state = 'installed'"),
            "users": count("res_users WHERE active"),
            "partners": count("res_partner"),
            "attachments": {"sampled": len(sample), "readable": len(sample) - len(missing), "missing": missing},
        }


def readable(path) -> bool:
    try:
        with open(path, "rb") as file:
            file.read(1)
        return True
    except OSError:
        return False


class Requests(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        path = self.path.partition("?")[0]
        if self.longpolling:
            self.answer(200, "text/plain", "ok\n")
        elif path == "/web/health":
            # As in Odoo: says that the process serves, nothing about the database.
            self.answer(200, "application/json", json.dumps({"status": "pass"}))
        elif path == "/web/login":
            self.login_page()
        elif path == "/robots.txt":
            self.answer(200, "text/plain", f"User-agent: *\nSitemap: {self.root_url()}/sitemap.xml\n")
        elif path == "/web/database/manager":
            self.answer(200, "text/html; charset=utf-8", manager.page(self.config))
        elif path == "/lab/state":
            self.state()
        elif path in ("/", "/web", "/odoo"):
            self.answer(303, "text/html", "", {"Location": "/web/login"})
        else:
            self.answer(404, "text/plain", f"not found; {VERSION}\n")

    do_HEAD = do_GET

    def do_POST(self):
        path = self.path.partition("?")[0]
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode(errors="replace")
        if path == "/web/database/list":
            self.answer(200, "application/json", manager.names(self.config))
        elif path == "/web/database/backup":
            kind, content, headers = manager.backup(self.config, body)
            self.answer(200, kind, content, headers)
        else:
            self.answer(404, "text/plain", f"not found; {VERSION}\n")

    def root_url(self) -> str:
        """The address under which the browser sees this server: what a proxy says counts in proxy mode alone, and then
        only with a host."""
        heed = self.config.proxy_mode and "X-Forwarded-Host" in self.headers
        host = self.headers["X-Forwarded-Host"] if heed else self.headers.get("Host", "localhost")
        scheme = self.headers.get("X-Forwarded-Proto", "http") if heed else "http"
        return f"{scheme}://{host}"

    def address_string(self):
        heed = self.config.proxy_mode and "X-Forwarded-Host" in self.headers
        forwarded = self.headers.get("X-Forwarded-For") if heed else None
        return forwarded.split(",")[-1].strip() if forwarded else super().address_string()

    def login_page(self):
        try:
            state = read_state(self.config)
            if not (state["modules"] and state["users"]):
                raise LookupError("no installed module or no user")
            if state["attachments"]["missing"]:
                raise LookupError(f"not in the filestore: {', '.join(state['attachments']['missing'])}")
        except (psycopg2.Error, LookupError) as error:
            log.error("/web/login: %s", str(error).strip())
            self.answer(500, "text/html", "<h1>Internal Server Error</h1>\n")
            return
        banner = '<div id="oe_neutralize_banner">Database neutralized for testing</div>' if state["banner"] else ""
        robots = '<meta name="robots" content="noindex, nofollow"/>' if state["banner"] else ""
        page = PAGE.format(
            robots=robots, banner=banner, version=VERSION,
            database=escape(state["database"]), base_url=escape(str(state["web.base.url"])),
        )
        self.answer(200, "text/html; charset=utf-8", page)

    def state(self):
        try:
            self.answer(200, "application/json", json.dumps(read_state(self.config)))
        except (psycopg2.Error, LookupError) as error:
            self.answer(500, "application/json", json.dumps({"error": str(error).strip()}))

    def answer(self, status: int, kind: str, content: str | bytes, headers: dict | None = None):
        body = content if isinstance(content, bytes) else content.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format, *values):
        if "/web/health" not in self.path:
            log.info("%s %s", self.address_string(), format % values)
