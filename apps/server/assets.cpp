// SPDX-License-Identifier: Apache-2.0
#include "assets.hpp"

#include <zlib.h>

#include <stdexcept>

namespace larmor::server {
namespace {

// Viewers compile WebAssembly and make workers from blobs; nothing comes from elsewhere, and texts are never run.
constexpr const char* policy =
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' data: blob: ws: wss:; worker-src 'self' "
    "blob:; "
    "frame-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

std::string inflated(std::string_view bytes) {
  z_stream z{};
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  z.avail_in = static_cast<uInt>(bytes.size());
  if (inflateInit2(&z, 31) != Z_OK) throw std::runtime_error("zlib does not start");
  std::string out;
  char piece[65536];
  int state = Z_OK;
  while (state == Z_OK) {
    z.next_out = reinterpret_cast<Bytef*>(piece);
    z.avail_out = sizeof piece;
    state = inflate(&z, Z_NO_FLUSH);
    out.append(piece, sizeof piece - z.avail_out);
  }
  inflateEnd(&z);
  return out;
}

const Asset* find(std::string_view path) {
  for (const auto& a : assets())
    if (a.path == path) return &a;
  return nullptr;
}

Response no_client() {
  Response r;
  r.status = 200;
  r.type = "text/html; charset=utf-8";
  r.body =
      "<!doctype html><title>Larmor Studio</title><h1>Larmor Studio</h1><p>This program was built without its web "
      "client, because npm was not found then. Install nodejs and npm (make setup) and build again. The "
      "<a href=\"/api/openapi.json\">API</a> works.</p>";
  return r;
}

}  // namespace

Response asset_response(const Request& request) {
  if (request.method != "GET") return error_response(405, "usage", "there is nothing to change here");
  if (assets().empty()) return no_client();
  const Asset* asset = find(request.path);
  if (!asset && request.path == "/favicon.ico") {  // asked for by every browser; the page brings its own
    Response none;
    none.status = 204;
    return none;
  }
  // A file that is not there is missing; any other path is one of the application's own.
  const auto name = request.path.substr(request.path.rfind('/') + 1);
  if (!asset && (request.path.starts_with("/assets/") || name.find('.') != std::string::npos))
    return error_response(404, "unknown_name", "no file called '" + request.path + "'");
  if (!asset) asset = find("/index.html");
  if (!asset) return no_client();
  Response r;
  r.type = asset->type;
  r.headers = {{"ETag", std::string(asset->etag)},
               {"Cache-Control", asset->hashed ? "public, max-age=31536000, immutable" : "no-cache"},
               {"Content-Security-Policy", policy},
               {"X-Content-Type-Options", "nosniff"},
               {"Referrer-Policy", "no-referrer"},
               {"Vary", "Accept-Encoding"}};
  if (request.header("if-none-match") == asset->etag) {
    r.status = 304;
    return r;
  }
  if (request.header("accept-encoding").find("gzip") != std::string_view::npos) {
    r.headers.emplace_back("Content-Encoding", "gzip");
    r.fixed = asset->bytes;
  } else {
    r.body = inflated(asset->bytes);
  }
  return r;
}

}  // namespace larmor::server
