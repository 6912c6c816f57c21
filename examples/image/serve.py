"""Tells by HTTP how many widgets there are."""

from http.server import BaseHTTPRequestHandler, HTTPServer

import acme_widgets


class Widgets(BaseHTTPRequestHandler):
    """Answers every GET."""

    def do_GET(self) -> None:
        """Say the number."""
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"{acme_widgets.widgets()} widgets\n".encode())


if __name__ == "__main__":
    HTTPServer(("", 8080), Widgets).serve_forever()
