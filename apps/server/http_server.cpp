// SPDX-License-Identifier: Apache-2.0
// The one file that includes Boost.Beast: 40 s of compiling stay here, behind http_server.hpp.
#include "http_server.hpp"

#include <fmt/format.h>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/beast/core/bind_handler.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>
#include <deque>
#include <larmor/core/log.hpp>
#include <mutex>
#include <set>
#include <thread>

namespace larmor::server {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace websocket = beast::websocket;
using tcp = asio::ip::tcp;
using beast::error_code;
using std::chrono::steady_clock;

namespace {

class Connection;
class SocketImpl;

/// Runs a handler; what it throws is the answer.
template <class F>
Response guarded(F&& f) {
  try {
    return f();
  } catch (const Error& e) {
    return error_response(e);
  } catch (const std::bad_alloc&) {
    return error_response(500, "memory", "out of memory", "ask for less at once, or give the server more memory");
  } catch (const std::exception& e) {
    return error_response(500, "internal", e.what(), "report it with the request");
  }
}

Request request_of(const http::request<http::string_body>& from) {
  Request r;
  const auto text = [](auto view) { return std::string(view.data(), view.size()); };
  r.method = text(from.method_string());
  if (r.method == "HEAD") r.method = "GET";
  for (const auto& field : from) {
    std::string name = text(field.name_string());
    for (char& c : name)
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    r.headers.emplace_back(std::move(name), text(field.value()));
  }
  const auto target = from.target();
  parse_target({target.data(), target.size()}, r);
  return r;
}

}  // namespace

struct HttpServer::Impl : std::enable_shared_from_this<HttpServer::Impl> {
  Impl(HttpOptions o, Handlers h)
      : options(std::move(o)),
        handlers(std::move(h)),
        light(static_cast<std::size_t>(options.threads)),
        heavy(static_cast<std::size_t>(options.heavy_threads)),
        acceptor(io),
        pause(io) {}

  void listen();
  void accept();
  void accepted(error_code ec, tcp::socket socket);
  bool make_place();
  void stop();
  void wind_down(steady_clock::time_point since);

  HttpOptions options;
  Handlers handlers;
  asio::io_context io{1};
  asio::thread_pool light, heavy;
  tcp::acceptor acceptor;
  asio::steady_timer pause;
  std::optional<asio::executor_work_guard<asio::io_context::executor_type>> work;
  std::thread thread;
  std::set<Connection*> waiting_or_busy;  // HTTP; only touched by the io thread, as are the sockets
  std::set<SocketImpl*> sockets;
  std::atomic<int> count{0};
  std::atomic<bool> stopping{false};
};

namespace {

using Server = HttpServer::Impl;

class SocketImpl final : public Socket, public std::enable_shared_from_this<SocketImpl> {
 public:
  SocketImpl(std::shared_ptr<Server> server, tcp::socket&& socket)
      : server_(std::move(server)), ws_(std::move(socket)) {}
  ~SocketImpl() override = default;

  void start(http::request<http::string_body> request, Request plain) {
    server_->sockets.insert(this);
    ++server_->count;
    websocket::stream_base::timeout times{};
    times.handshake_timeout = std::chrono::seconds(10);
    times.idle_timeout = server_->options.socket_idle;
    times.keep_alive_pings = true;
    ws_.set_option(times);
    ws_.auto_fragment(false);
    ws_.read_message_max(server_->options.message_limit);
    request_ = std::move(request);
    ws_.async_accept(request_, [self = shared_from_this(), plain = std::move(plain)](error_code ec) mutable {
      if (ec || self->server_->stopping) return self->gone();
      self->open_ = true;
      // The handler may have to wait for a lock: not here.
      asio::post(self->server_->light, [self, plain = std::move(plain)] {
        try {
          self->server_->handlers.opened(plain, self);
        } catch (const std::exception& e) {
          log::warning(fmt::format("studio: WebSocket: {}", e.what()));
          self->close();
        }
        asio::post(self->server_->io, [self] { self->read(); });
      });
    });
  }

  void send(std::shared_ptr<const std::string> text) override {
    std::lock_guard lock(mutex_);
    if (!open_ || overflow_) return;
    queued_bytes_ += text->size();
    queue_.push_back(std::move(text));
    if (queued_bytes_ > server_->options.queue_bytes || queue_.size() > server_->options.queue_messages) {
      overflow_ = true;
      asio::post(server_->io, [self = shared_from_this()] { self->drop(); });
      return;
    }
    if (!writing_) {
      writing_ = true;
      asio::post(server_->io, [self = shared_from_this()] { self->write(); });
    }
  }
  using Socket::send;

  void close() override {
    asio::post(server_->io, [self = shared_from_this()] {
      if (self->open_.exchange(false))
        self->ws_.async_close(websocket::close_code::normal, [self](error_code) { self->drop(); });
    });
  }
  bool open() const override { return open_; }
  /// At once, without a farewell. Only from the io thread.
  void drop() { beast::get_lowest_layer(ws_).close(); }

 private:
  void read() {
    ws_.async_read(buffer_, [self = shared_from_this()](error_code ec, std::size_t n) {
      if (ec) return self->gone();
      const auto now = steady_clock::now();
      if (now - self->second_ > std::chrono::seconds(1)) self->second_ = now, self->in_second_ = 0;
      if (++self->in_second_ > self->server_->options.messages_per_second) {
        log::warning("studio: a WebSocket client sends too many messages; it is disconnected");
        return self->drop(), self->gone();
      }
      const std::string text(static_cast<const char*>(self->buffer_.data().data()), n);
      self->buffer_.consume(n);
      try {
        if (self->server_->handlers.message) self->server_->handlers.message(*self, text);
      } catch (const std::exception& e) {
        log::warning(fmt::format("studio: WebSocket message: {}", e.what()));
      }
      self->read();
    });
  }

  void write() {
    {
      std::lock_guard lock(mutex_);
      if (queue_.empty()) {
        writing_ = false;
        return;
      }
      now_ = queue_.front();
    }
    ws_.text(true);
    ws_.async_write(asio::buffer(*now_), [self = shared_from_this()](error_code ec, std::size_t) {
      if (ec) return self->drop();  // the pending read ends with an error and says goodbye
      {
        std::lock_guard lock(self->mutex_);
        self->queued_bytes_ -= self->now_->size();
        self->queue_.pop_front();
      }
      self->write();
    });
  }

  void gone() {
    open_ = false;
    if (std::exchange(gone_, true)) return;
    drop();
    server_->sockets.erase(this);
    --server_->count;
    auto tell = [self = shared_from_this()] {
      try {
        if (self->server_->handlers.closed) self->server_->handlers.closed(*self);
      } catch (const std::exception& e) {
        log::warning(fmt::format("studio: WebSocket: {}", e.what()));
      }
    };
    // A pool that was joined runs nothing more, and would hold the socket, which holds the server with the pool.
    server_->stopping ? tell() : asio::post(server_->light, std::move(tell));
  }

  std::shared_ptr<Server> server_;
  websocket::stream<beast::tcp_stream> ws_;
  http::request<http::string_body> request_;
  beast::flat_buffer buffer_;
  std::atomic<bool> open_{false};
  bool gone_ = false;
  steady_clock::time_point second_{};
  int in_second_ = 0;
  std::mutex mutex_;  // of what follows
  std::deque<std::shared_ptr<const std::string>> queue_;
  std::size_t queued_bytes_ = 0;
  bool writing_ = false, overflow_ = false;
  std::shared_ptr<const std::string> now_;
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(std::shared_ptr<Server> server, tcp::socket&& socket)
      : server_(std::move(server)), stream_(std::move(socket)), buffer_(server_->options.header_limit + 65536) {
    server_->waiting_or_busy.insert(this);
    ++server_->count;
  }
  ~Connection() {
    server_->waiting_or_busy.erase(this);
    --server_->count;
  }

  bool waiting() const { return waiting_; }
  steady_clock::time_point since() const { return since_; }
  void drop() { stream_.close(); }

  void read_header() {
    parser_.emplace();
    parser_->header_limit(static_cast<std::uint32_t>(server_->options.header_limit));
    parser_->body_limit(server_->options.body_limit);
    waiting_ = true;
    since_ = steady_clock::now();
    stream_.expires_after(server_->options.header_time);
    http::async_read_header(stream_, buffer_, *parser_,
                            [self = shared_from_this()](error_code ec, std::size_t) { self->got_header(ec); });
  }

 private:
  void got_header(error_code ec) {
    waiting_ = false;
    if (ec) return read_failed(ec);
    try {
      request_ = request_of(parser_->get());
    } catch (const Error& e) {
      return refuse(error_response(e));
    }
    head_ = parser_->get().method() == http::verb::head;
    if (websocket::is_upgrade(parser_->get())) return upgrade();
    if (server_->handlers.admit)
      if (auto no = server_->handlers.admit(request_)) return refuse(std::move(*no));
    if (beast::iequals(parser_->get()[http::field::expect], "100-continue")) return go_on();
    read_body();
  }

  void go_on() {
    static constexpr std::string_view text = "HTTP/1.1 100 Continue\r\n\r\n";
    stream_.expires_after(server_->options.stall_time);
    asio::async_write(stream_, asio::buffer(text), [self = shared_from_this()](error_code ec, std::size_t) {
      if (!ec) self->read_body();
    });
  }

  void read_body() {
    stream_.expires_after(server_->options.body_time);
    http::async_read(stream_, buffer_, *parser_, [self = shared_from_this()](error_code ec, std::size_t) {
      if (ec) return self->read_failed(ec);
      self->work();
    });
  }

  void read_failed(error_code ec) {
    if (ec == http::error::header_limit || ec == http::error::buffer_overflow)
      return refuse(error_response(431, "range",
                                   fmt::format("the header is longer than {} bytes", server_->options.header_limit)));
    if (ec == http::error::body_limit)
      return refuse(error_response(413, "range",
                                   fmt::format("the body is larger than {} bytes", server_->options.body_limit),
                                   "send it in pieces"));
    if (ec.category() == make_error_code(http::error::bad_version).category() && ec != http::error::end_of_stream &&
        ec != http::error::partial_message)
      return refuse(error_response(400, "format", "this is no HTTP/1.1 request: " + ec.message()));
    error_code ignored;
    stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);  // hung up, or too slow
  }

  void upgrade() {
    if (server_->handlers.admit_socket)
      if (auto no = server_->handlers.admit_socket(request_)) return refuse(std::move(*no));
    if (!server_->handlers.opened) return refuse(error_response(404, "unknown_name", "there are no WebSockets here"));
    if (static_cast<int>(server_->sockets.size()) >= server_->options.max_sockets)
      return refuse(error_response(503, "range", fmt::format("{} WebSockets are open", server_->sockets.size()),
                                   "close other windows"));
    stream_.expires_never();
    std::make_shared<SocketImpl>(server_, stream_.release_socket())->start(parser_->release(), std::move(request_));
  }

  void refuse(Response response) {
    close_ = true;
    write(std::move(response));
  }

  void work() {
    if (server_->stopping) return;  // the pools take nothing more
    request_.body = std::move(parser_->get().body());
    close_ = !parser_->get().keep_alive();
    const bool heavy = server_->handlers.heavy && server_->handlers.heavy(request_);
    stream_.expires_never();
    asio::post(heavy ? server_->heavy : server_->light, [self = shared_from_this()] {
      auto response =
          std::make_shared<Response>(guarded([&] { return self->server_->handlers.answer(self->request_); }));
      asio::post(self->server_->io, [self, response] { self->write(std::move(*response)); });
    });
  }

  void write(Response response) {
    response_ = std::move(response);
    if (server_->stopping) close_ = true;
    const auto bytes = response_.bytes();
    auto& m = message_.emplace();
    m.version(11);
    m.result(static_cast<unsigned>(response_.status));
    m.set(http::field::server, "Larmor");
    if (!response_.type.empty() && response_.status != 304) m.set(http::field::content_type, response_.type);
    for (const auto& [name, value] : response_.headers) m.set(name, value);
    m.body() = {bytes.data(), bytes.size()};
    m.keep_alive(!close_);
    if (response_.status != 304 && response_.status != 204) m.content_length(bytes.size());
    serializer_.emplace(m);
    if (head_) serializer_->split(true);
    // The whole answer at 64 kB/s: slower is a client that hangs.
    deadline_ = steady_clock::now() + server_->options.stall_time + std::chrono::milliseconds(bytes.size() / 64);
    write_some();
  }

  void write_some() {
    if (steady_clock::now() > deadline_) return drop();
    stream_.expires_after(server_->options.stall_time);
    http::async_write_some(stream_, *serializer_, [self = shared_from_this()](error_code ec, std::size_t) {
      if (ec && ec != http::error::need_buffer) return;  // the client is gone, or hangs
      const bool done = self->head_ ? self->serializer_->is_header_done() : self->serializer_->is_done();
      if (!done) return self->write_some();
      self->written();
    });
  }

  void written() {
    response_ = {};
    if (!close_) return read_header();
    error_code ignored;
    stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
    // What is still on its way is read and forgotten: closing now would make the client lose our answer.
    stream_.expires_after(std::chrono::seconds(2));
    drain(0);
  }

  void drain(std::size_t so_far) {
    if (so_far > server_->options.body_limit) return drop();
    stream_.async_read_some(asio::buffer(waste_), [self = shared_from_this(), so_far](error_code ec, std::size_t n) {
      if (!ec) self->drain(so_far + n);
    });
  }

  std::shared_ptr<Server> server_;
  beast::tcp_stream stream_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  Request request_;
  Response response_;
  std::optional<http::response<http::span_body<const char>>> message_;
  std::optional<http::response_serializer<http::span_body<const char>>> serializer_;
  steady_clock::time_point since_{}, deadline_{};
  bool waiting_ = false, close_ = false, head_ = false;
  std::array<char, 4096> waste_{};
};

}  // namespace

void HttpServer::Impl::listen() {
  const std::string name = fmt::format("{}:{}", options.host, options.port);
  error_code ec;
  tcp::resolver resolver(io);
  const auto found = resolver.resolve(options.host, std::to_string(options.port),
                                      tcp::resolver::passive | tcp::resolver::numeric_service, ec);
  if (ec || found.empty())
    throw Error(Errc::file, fmt::format("'{}' is no address: {}", options.host, ec.message()),
                "give --host an address of this machine, 127.0.0.1 for example");
  const tcp::endpoint where = found.begin()->endpoint();
  acceptor.open(where.protocol(), ec);
  if (!ec) acceptor.set_option(asio::socket_base::reuse_address(true), ec);
  if (!ec) acceptor.bind(where, ec);
  if (!ec) acceptor.listen(asio::socket_base::max_listen_connections, ec);
  if (ec) throw Error(Errc::file, fmt::format("cannot listen on {}: {}", name, ec.message()), "give another --port");
}

void HttpServer::Impl::accept() {
  acceptor.async_accept(
      [self = shared_from_this()](error_code ec, tcp::socket socket) { self->accepted(ec, std::move(socket)); });
}

void HttpServer::Impl::accepted(error_code ec, tcp::socket socket) {
  if (stopping || ec == asio::error::operation_aborted) return;
  if (ec) {  // no file handles left, for example: again in a moment
    pause.expires_after(std::chrono::milliseconds(100));
    pause.async_wait([self = shared_from_this()](error_code) {
      if (!self->stopping) self->accept();
    });
    return;
  }
  if (count < options.max_connections || make_place()) {
    error_code ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    std::make_shared<Connection>(shared_from_this(), std::move(socket))->read_header();
  }
  accept();
}

bool HttpServer::Impl::make_place() {
  Connection* oldest = nullptr;
  for (auto* c : waiting_or_busy)
    if (c->waiting() && (!oldest || c->since() < oldest->since())) oldest = c;
  if (oldest) oldest->drop();
  return oldest != nullptr;
}

namespace {

/// The loop, again after each error of one connection, which is gone with it.
template <class Loop>
void run(Loop loop) {
  for (;;) {
    try {
      return loop();
    } catch (const std::exception& e) {
      log::warning(fmt::format("studio: {}", e.what()));
    }
  }
}

}  // namespace

void HttpServer::Impl::stop() {
  if (stopping.exchange(true)) return;
  asio::post(io, [self = shared_from_this()] {
    error_code ignored;
    self->acceptor.close(ignored);
    self->pause.cancel();
    for (auto* c : self->waiting_or_busy)
      if (c->waiting()) c->drop();
    for (auto* s : self->sockets) s->drop();
  });
  light.join();
  heavy.join();
  asio::post(io, [self = shared_from_this()] { self->wind_down(steady_clock::now()); });
  if (thread.joinable()) thread.join();
  // The loop was stopped before some handlers of what was closed had their turn, and each of them holds this server.
  io.restart();
  run([this] { io.poll(); });
}

// Answers of the handlers that have just ended get a moment, hanging clients no more. Timers of closed WebSockets would
// keep the loop busy for a minute, so it is stopped when nobody is left.
void HttpServer::Impl::wind_down(steady_clock::time_point since) {
  const auto waited = steady_clock::now() - since;
  if ((waiting_or_busy.empty() && sockets.empty()) || waited > std::chrono::seconds(1)) return io.stop();
  if (waited > std::chrono::milliseconds(500))
    for (auto* c : waiting_or_busy) c->drop();
  pause.expires_after(std::chrono::milliseconds(10));
  pause.async_wait([self = shared_from_this(), since](error_code) { self->wind_down(since); });
}

HttpServer::HttpServer(HttpOptions options, Handlers handlers)
    : impl_(std::make_shared<Impl>(std::move(options), std::move(handlers))) {
  impl_->listen();
  impl_->work.emplace(impl_->io.get_executor());
  impl_->accept();
  impl_->thread = std::thread([impl = impl_.get()] { run([impl] { impl->io.run(); }); });
}
HttpServer::~HttpServer() { stop(); }
int HttpServer::port() const { return impl_->acceptor.local_endpoint().port(); }
int HttpServer::connections() const { return impl_->count; }
void HttpServer::stop() { impl_->stop(); }

}  // namespace larmor::server
