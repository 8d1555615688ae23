"""A vendor's portal with the usage dashboard in a frame, in one file and with no library.

    DASHBOARD_KEY=dash_… python examples/embed/portal.py

then open http://127.0.0.1:8600.  What matters is `frame_address`: the portal knows who is signed
in, asks the dashboard for a code with its API key, server to server, and puts the address it gets
into an iframe.  The key never reaches the browser; the code works once and for a minute.
"""

import json
import os
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

DASHBOARD = os.environ.get("DASHBOARD_URL", "http://localhost:8501")
KEY = os.environ["DASHBOARD_KEY"]
PORT = int(os.environ.get("PORTAL_PORT", "8600"))
ORIGIN = f"http://127.0.0.1:{PORT}"  # must stand in EMBED_ORIGINS of the dashboard
# A real portal takes these from whoever is signed in there.
CUSTOMER = os.environ.get("CUSTOMER", "birch-bakery")
VISITOR = os.environ.get("VISITOR", "user 42")
PAGES = os.environ.get("PAGES", "")  # "overview,usage"; empty: every page of the role

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Portal</title>
<style>
  body {{ margin: 0; font: 16px system-ui, sans-serif; display: grid; height: 100vh;
          grid-template-rows: auto 1fr; }}
  header {{ padding: 0.8rem 1.2rem; background: #20304a; color: white; }}
  iframe {{ border: 0; width: 100%; height: 100%; }}
  p {{ padding: 1.2rem; }}
</style>
<header>Your portal · Usage of {customer}</header>
{frame}
</html>
"""


def frame_address() -> str:
    """A fresh address for an iframe; ask for one each time the page is shown."""
    wanted = {"customer": CUSTOMER, "role": "viewer", "origin": ORIGIN, "visitor": VISITOR}
    if PAGES:
        wanted["pages"] = PAGES.split(",")
    request = Request(
        f"{DASHBOARD}/embed/codes",
        data=json.dumps(wanted).encode(),
        headers={"authorization": f"Bearer {KEY}", "content-type": "application/json"},
    )
    with urlopen(request, timeout=10) as answer:
        return json.load(answer)["url"]


class Portal(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path != "/":
            self.send_error(404)
            return
        try:
            address = escape(frame_address())
            frame = f'<iframe src="{address}" title="Usage dashboard"></iframe>'
        except URLError as error:  # its body says what is wrong, and never to the browser
            print(error.read().decode() if isinstance(error, HTTPError) else error)
            frame = "<p>Your usage cannot be shown right now. Please try again later.</p>"
        body = PAGE.format(customer=escape(CUSTOMER), frame=frame).encode()
        self.send_response(200)
        self.send_header("content-type", "text/html; charset=utf-8")
        self.send_header("cache-control", "no-store")  # a code works once
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    print(f"The portal is at {ORIGIN}")
    ThreadingHTTPServer(("127.0.0.1", PORT), Portal).serve_forever()
