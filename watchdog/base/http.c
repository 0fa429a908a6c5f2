#include <assert.h>
#include <ctype.h>
#include <curl/curl.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <strings.h>
#include <sys/queue.h>
#include <watchdog/http.h>
#include <watchdog/memory.h>
#include <watchdog/text.h>

#define BODY_LIMIT ((size_t)64 << 20)
#define HEADER_LIMIT ((size_t)256 << 10)
#define CONNECT_MILLISECONDS 10000L
#define IDLE_CONNECTIONS 8L

/* curl refuses to be called from its own callbacks. So each call stands in exactly one list, and what happens inside
 * curl only moves it: a call sent there waits, a call cancelled there is buried, as soon as curl has returned. */
TAILQ_HEAD(calls, wd_http_call);

struct wd_http {
	struct wd_loop *loop;
	CURLM *multi;
	struct wd_timer *timeout; /* what curl wants to be called for */
	struct wd_timer *soon;    /* delivers what ended within wd_http_send() */
	struct calls waiting, running, ended, cancelled;
	bool inside_curl;
	bool delivering;
	bool doomed; /* freed by a callback that is being delivered */
};

struct wd_http_call {
	TAILQ_ENTRY(wd_http_call) link;
	struct calls *in; /* NULL while on_done runs */
	struct wd_http *http;
	CURL *easy;
	struct curl_slist *headers;
	struct wd_timer *deadline;
	wd_time span; /* of the deadline */
	char *place;  /* for people: the socket or the address */
	size_t limit;
	wd_http_header *on_header;
	wd_http_bytes *on_bytes;
	wd_http_done *on_done;
	void *data;

	CURLcode code;
	int status;         /* of the last status line */
	bool headers_whole; /* of a final status: curl takes an answer cut within its headers for one */
	bool is_unix;
	bool is_late;
	size_t too_big; /* the limit that was passed; 0: none */
	int socket_errno;
	size_t header_bytes;
	struct wd_text body;
	struct wd_text why;
	char curl_words[CURL_ERROR_SIZE];
};

static void move(struct wd_http_call *call, struct calls *to)
{
	if (call->in)
		TAILQ_REMOVE(call->in, call, link);
	if (to)
		TAILQ_INSERT_TAIL(to, call, link);
	call->in = to;
}

static struct wd_http_call *take_first(struct calls *calls)
{
	struct wd_http_call *call = TAILQ_FIRST(calls);
	if (call) {
		TAILQ_REMOVE(calls, call, link);
		call->in = NULL;
	}
	return call;
}

static void leave_curl(struct wd_http_call *call)
{
	if (call->easy) {
		curl_multi_remove_handle(call->http->multi, call->easy);
		curl_easy_cleanup(call->easy);
		call->easy = NULL;
	}
	call->deadline = wd_timer_free(call->deadline);
}

static void bury(struct wd_http_call *call)
{
	leave_curl(call);
	move(call, NULL);
	curl_slist_free_all(call->headers);
	wd_text_done(&call->body);
	wd_text_done(&call->why);
	free(call->place);
	free(call);
}

static void bury_all(struct calls *calls)
{
	struct wd_http_call *call;
	while ((call = take_first(calls)))
		bury(call);
}

/* Running and reading what came of it. */

static void enter_curl(struct wd_http *http, curl_socket_t descriptor, int flags)
{
	int running;
	struct CURLMsg *message;
	http->inside_curl = true;
	curl_multi_socket_action(http->multi, descriptor, flags, &running);
	http->inside_curl = false;
	while ((message = curl_multi_info_read(http->multi, &running))) {
		char *private = NULL;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &private);
		struct wd_http_call *call = (struct wd_http_call *)(void *)private;
		if (call->in != &http->running)
			continue;
		call->code = message->data.result;
		move(call, &http->ended);
	}
	bury_all(&http->cancelled);
}

static void begin(struct wd_http_call *call)
{
	struct wd_http *http = call->http;
	if (!call->code && curl_multi_add_handle(http->multi, call->easy) != CURLM_OK)
		call->code = CURLE_FAILED_INIT;
	move(call, call->code ? &http->ended : &http->running);
	/* At once, not when the loop comes round: the request is to be on the wire within the millisecond. */
	if (!call->code)
		enter_curl(http, CURL_SOCKET_TIMEOUT, 0);
}

static void begin_all(struct wd_http *http)
{
	struct wd_http_call *call;
	while ((call = take_first(&http->waiting)))
		begin(call);
}

static void run_curl(struct wd_http *http, curl_socket_t descriptor, int flags)
{
	enter_curl(http, descriptor, flags);
	begin_all(http);
}

/* How it ended, and why, for people. */

static const char *hint(const struct wd_http_call *call, int number)
{
	if (number == EACCES && call->is_unix)
		return " (is your user in the socket's group?)";
	if (number == ECONNREFUSED || (number == ENOENT && call->is_unix))
		return " (is the Engine running?)";
	if (call->code == CURLE_SSL_CONNECT_ERROR)
		return " (is it TLS that is spoken there?)";
	if (call->code == CURLE_PEER_FAILED_VERIFICATION && strstr(call->curl_words, "issuer"))
		return " (name its authority by tls_ca)";
	return "";
}

/* "Could not resolve" begins a sentence; "SSL" and "OpenSSL" are names. */
static void add_lowered(struct wd_text *text, const char *words)
{
	size_t rest = 1;
	while (words[0] && islower((unsigned char)words[rest]))
		rest++;
	if (isupper((unsigned char)words[0]) && rest > 1 && !isupper((unsigned char)words[rest])) {
		char first = (char)tolower((unsigned char)words[0]);
		wd_text_put(text, &first, 1);
		words++;
	}
	wd_text_add(text, words);
}

static const char *curl_words(const struct wd_http_call *call)
{
	return call->curl_words[0] ? call->curl_words : curl_easy_strerror(call->code);
}

static void say_why_unsent(struct wd_http_call *call)
{
	char span[WD_TIME_TEXT];
	long number = 0;
	if (call->easy)
		curl_easy_getinfo(call->easy, CURLINFO_OS_ERRNO, &number);
	if (call->socket_errno)
		number = call->socket_errno;
	wd_text_print(&call->why, "connect to %s: ", call->place);
	if (call->is_late)
		wd_text_print(&call->why, "not connected within %s", wd_span_print(call->span, span));
	else if (call->code == CURLE_COULDNT_CONNECT && number != 0 && number != EINPROGRESS)
		add_lowered(&call->why, strerror((int)number));
	else
		add_lowered(&call->why, curl_words(call));
	wd_text_add(&call->why, hint(call, (int)number));
}

static void say_why_lost(struct wd_http_call *call)
{
	char size[WD_SIZE_TEXT];
	wd_text_print(&call->why, "%s: ", call->place);
	if (call->too_big)
		wd_text_print(&call->why, "an answer of more than %s", wd_size_print(call->too_big, size));
	else if (call->code == CURLE_GOT_NOTHING)
		wd_text_add(&call->why, "closed the connection without an answer");
	else if (call->code == CURLE_OK)
		wd_text_add(&call->why, "closed the connection in the middle of the headers");
	else
		add_lowered(&call->why, curl_words(call));
}

static void say_why_late(struct wd_http_call *call)
{
	char span[WD_TIME_TEXT];
	wd_text_print(&call->why, "%s: no %sanswer within %s", call->place, call->headers_whole ? "whole " : "",
		      wd_span_print(call->span, span));
}

static enum wd_http_end judge(struct wd_http_call *call)
{
	long sent = 0;
	if (!call->is_late && call->code == CURLE_OK && call->headers_whole)
		return WD_HTTP_ANSWERED;
	if (call->easy)
		curl_easy_getinfo(call->easy, CURLINFO_REQUEST_SIZE, &sent);
	if (sent == 0) {
		say_why_unsent(call);
		return WD_HTTP_UNSENT;
	}
	if (call->is_late) {
		say_why_late(call);
		return WD_HTTP_LATE;
	}
	say_why_lost(call);
	return WD_HTTP_LOST;
}

static void deliver_one(struct wd_http_call *call)
{
	struct wd_http_answer answer = {.end = judge(call)};
	leave_curl(call);
	answer.status = call->headers_whole ? call->status : 0;
	answer.body = wd_text_get(&call->body);
	answer.length = call->body.length;
	answer.why = wd_text_get(&call->why);
	call->on_done(call->data, &answer);
	bury(call);
}

static void destroy(struct wd_http *http)
{
	curl_multi_cleanup(http->multi);
	wd_timer_free(http->timeout);
	wd_timer_free(http->soon);
	free(http);
	curl_global_cleanup();
}

static void deliver(struct wd_http *http)
{
	struct wd_http_call *call;
	http->delivering = true;
	while ((call = take_first(&http->ended)))
		deliver_one(call);
	http->delivering = false;
	if (http->doomed)
		destroy(http);
}

static void on_soon(void *data)
{
	deliver(data);
}

static void on_deadline(void *data)
{
	struct wd_http_call *call = data;
	if (call->in != &call->http->ended) {
		call->is_late = true;
		move(call, &call->http->ended);
	}
	deliver(call->http);
}

/* curl on the loop. */

struct watched {
	struct wd_http *http;
	curl_socket_t descriptor;
	struct wd_ready *ready;
};

static void on_ready(void *data, int events)
{
	struct watched *watched = data;
	struct wd_http *http = watched->http;
	int flags = (events & WD_READ ? CURL_CSELECT_IN : 0) | (events & WD_WRITE ? CURL_CSELECT_OUT : 0);
	run_curl(http, watched->descriptor, flags);
	deliver(http);
}

static int on_curl_socket(CURL *easy, curl_socket_t descriptor, int what, void *data, void *socket_data)
{
	struct wd_http *http = data;
	struct watched *watched = socket_data;
	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (watched)
			wd_ready_free(watched->ready);
		free(watched);
		curl_multi_assign(http->multi, descriptor, NULL);
		return 0;
	}
	int events = (what & CURL_POLL_IN ? WD_READ : 0) | (what & CURL_POLL_OUT ? WD_WRITE : 0);
	if (watched) {
		wd_ready_set(watched->ready, events);
		return 0;
	}
	watched = wd_alloc(1, sizeof *watched);
	*watched = (struct watched){.http = http, .descriptor = descriptor};
	watched->ready = wd_ready_new(http->loop, descriptor, events, on_ready, watched);
	curl_multi_assign(http->multi, descriptor, watched);
	return 0;
}

static int on_curl_timer(CURLM *multi, long milliseconds, void *data)
{
	struct wd_http *http = data;
	(void)multi;
	wd_timer_set(http->timeout,
		     milliseconds < 0 ? WD_NEVER : wd_loop_now(http->loop) + milliseconds * WD_MILLISECOND);
	return 0;
}

static void on_timeout(void *data)
{
	run_curl(data, CURL_SOCKET_TIMEOUT, 0);
	deliver(data);
}

static bool library_fits(struct wd_error *error)
{
	int features = curl_version_info(CURLVERSION_NOW)->features;
	if (!(features & CURL_VERSION_UNIX_SOCKETS))
		return wd_fail(error, WD_ERROR_FAILED, "this libcurl has no unix sockets");
	if (!(features & CURL_VERSION_SSL))
		return wd_fail(error, WD_ERROR_FAILED, "this libcurl has no TLS");
	if (!(features & CURL_VERSION_ASYNCHDNS))
		return wd_fail(error, WD_ERROR_FAILED, "this libcurl blocks while it resolves names");
	return true;
}

/* OpenSSL writes without MSG_NOSIGNAL, and curl leaves the signal alone where CURLOPT_NOSIGNAL is set. */
static void ignore_broken_pipes(void)
{
	struct sigaction action;
	if (sigaction(SIGPIPE, NULL, &action) == 0 && action.sa_handler == SIG_DFL)
		signal(SIGPIPE, SIG_IGN);
}

struct wd_http *wd_http_new(struct wd_loop *loop, struct wd_error *error)
{
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		wd_fail(error, WD_ERROR_FAILED, "libcurl does not start");
		return NULL;
	}
	CURLM *multi = library_fits(error) ? curl_multi_init() : NULL;
	if (!multi) {
		curl_global_cleanup();
		return NULL;
	}
	ignore_broken_pipes();
	struct wd_http *http = wd_alloc(1, sizeof *http);
	*http = (struct wd_http){.loop = loop, .multi = multi};
	http->timeout = wd_timer_new(loop, on_timeout, http);
	http->soon = wd_timer_new(loop, on_soon, http);
	TAILQ_INIT(&http->waiting);
	TAILQ_INIT(&http->running);
	TAILQ_INIT(&http->ended);
	TAILQ_INIT(&http->cancelled);
	curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_curl_socket);
	curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, http);
	curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_curl_timer);
	curl_multi_setopt(multi, CURLMOPT_TIMERDATA, http);
	curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, IDLE_CONNECTIONS);
	return http;
}

struct wd_http *wd_http_free(struct wd_http *http)
{
	if (!http)
		return NULL;
	assert(!http->inside_curl);
	bury_all(&http->waiting);
	bury_all(&http->running);
	bury_all(&http->ended);
	http->doomed = true;
	if (!http->delivering)
		destroy(http);
	return NULL;
}

/* What curl calls while it runs: notes and returns. */

static size_t on_curl_bytes(char *bytes, size_t one, size_t count, void *data)
{
	struct wd_http_call *call = data;
	size_t length = one * count;
	if (call->in == &call->http->cancelled)
		return 0;
	if (call->on_bytes) {
		call->on_bytes(call->data, bytes, length);
		return length;
	}
	if (length > call->limit - call->body.length) {
		call->too_big = call->limit;
		return 0;
	}
	wd_text_put(&call->body, bytes, length);
	return length;
}

static void hand_out_header(struct wd_http_call *call, const char *line, size_t length)
{
	const char *colon = memchr(line, ':', length);
	if (!colon)
		return;
	const char *value = colon + 1, *end = line + length;
	while (value < end && (*value == ' ' || *value == '\t'))
		value++;
	while (end > value && isspace((unsigned char)end[-1]))
		end--;
	WD_AUTO_FREE char *name_copy = wd_copy_part(line, (size_t)(colon - line));
	WD_AUTO_FREE char *value_copy = wd_copy_part(value, (size_t)(end - value));
	call->on_header(call->data, name_copy, value_copy);
}

static int status_of(const char *line, size_t length)
{
	int status = 0;
	const char *at = memchr(line, ' ', length), *end = line + length;
	while (at && at < end && *at == ' ')
		at++;
	for (int digits = 0; at && at < end && digits < 3 && *at >= '0' && *at <= '9'; digits++)
		status = 10 * status + (*at++ - '0');
	return status;
}

static size_t on_curl_header(char *line, size_t one, size_t count, void *data)
{
	struct wd_http_call *call = data;
	size_t length = one * count;
	call->header_bytes += length;
	if (call->header_bytes > HEADER_LIMIT)
		call->too_big = HEADER_LIMIT;
	if (call->in == &call->http->cancelled || call->too_big)
		return 0;
	if (call->headers_whole) /* a trailer */
		return length;
	if (length >= 5 && memcmp(line, "HTTP/", 5) == 0)
		call->status = status_of(line, length);
	else if (line[0] == '\r' || line[0] == '\n')
		call->headers_whole = call->status >= 200;
	else if (call->on_header && call->status >= 200)
		hand_out_header(call, line, length);
	return length;
}

/* Close-on-exec, as a child must not inherit the Engine's socket. */
static curl_socket_t on_curl_open(void *data, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct wd_http_call *call = data;
	(void)purpose;
	int descriptor = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
	if (descriptor < 0)
		call->socket_errno = errno;
	return descriptor;
}

/* Building a request. The first option that is refused ends it unsent. */

#define SET(call, option, value)                                                                                       \
	do {                                                                                                           \
		if (!(call)->code)                                                                                     \
			(call)->code = curl_easy_setopt((call)->easy, option, value);                                  \
	} while (0)

static void set_callbacks(struct wd_http_call *call)
{
	SET(call, CURLOPT_PRIVATE, call);
	SET(call, CURLOPT_ERRORBUFFER, call->curl_words);
	SET(call, CURLOPT_WRITEFUNCTION, on_curl_bytes);
	SET(call, CURLOPT_WRITEDATA, call);
	SET(call, CURLOPT_HEADERFUNCTION, on_curl_header);
	SET(call, CURLOPT_HEADERDATA, call);
	SET(call, CURLOPT_OPENSOCKETFUNCTION, on_curl_open);
	SET(call, CURLOPT_OPENSOCKETDATA, call);
}

static void set_manners(struct wd_http_call *call)
{
#if LIBCURL_VERSION_NUM >= 0x075500
	SET(call, CURLOPT_PROTOCOLS_STR, "http,https");
#else
	SET(call, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
#if LIBCURL_VERSION_NUM >= 0x075700
	SET(call, CURLOPT_QUICK_EXIT, 1L); /* else a cancel waits for the resolver's thread */
#endif
	SET(call, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(call, CURLOPT_NOSIGNAL, 1L);
	SET(call, CURLOPT_FOLLOWLOCATION, 0L);
	SET(call, CURLOPT_PROXY, "");
	SET(call, CURLOPT_NOPROXY, "*");
	SET(call, CURLOPT_PATH_AS_IS, 1L);
	SET(call, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MILLISECONDS);
	SET(call, CURLOPT_TCP_KEEPALIVE, 1L);
	SET(call, CURLOPT_TCP_KEEPIDLE, 30L);
	SET(call, CURLOPT_TCP_KEEPINTVL, 10L);
	SET(call, CURLOPT_USERAGENT, "seadog/" SEADOG_VERSION);
}

static void set_target(struct wd_http_call *call, const struct wd_http_target *target, const char *path)
{
	WD_AUTO_FREE char *url = wd_format("%s%s", target->base_url, path);
	SET(call, CURLOPT_URL, url);
	if (target->socket_path)
		SET(call, CURLOPT_UNIX_SOCKET_PATH, target->socket_path);
	SET(call, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(call, CURLOPT_SSL_VERIFYPEER, target->tls_insecure ? 0L : 1L);
	SET(call, CURLOPT_SSL_VERIFYHOST, target->tls_insecure ? 0L : 2L);
	if (target->tls_ca)
		SET(call, CURLOPT_CAINFO, target->tls_ca);
	if (target->tls_cert)
		SET(call, CURLOPT_SSLCERT, target->tls_cert);
	if (target->tls_key)
		SET(call, CURLOPT_SSLKEY, target->tls_key);
}

static void add_line(struct wd_http_call *call, const char *line)
{
	struct curl_slist *headers = curl_slist_append(call->headers, line);
	if (headers)
		call->headers = headers;
	else
		call->code = CURLE_OUT_OF_MEMORY;
}

static void add_header(struct wd_http_call *call, const char *name, const char *value)
{
	WD_AUTO_FREE char *line = value ? wd_format("%s: %s", name, value) : wd_format("%s:", name);
	add_line(call, line);
}

static void set_body(struct wd_http_call *call, const struct wd_http_request *request)
{
	SET(call, CURLOPT_POST, 1L);
	SET(call, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_length);
	SET(call, CURLOPT_COPYPOSTFIELDS, request->body ? request->body : "");
	add_header(call, "Content-Type", request->body ? request->content_type : NULL);
	add_header(call, "Expect", NULL);
}

static void set_request(struct wd_http_call *call, const struct wd_http_request *request)
{
	bool is_get = strcmp(request->method, "GET") == 0, is_head = strcmp(request->method, "HEAD") == 0;
	if (is_head)
		SET(call, CURLOPT_NOBODY, 1L);
	else if (request->body || strcmp(request->method, "POST") == 0)
		set_body(call, request);
	if (!is_head)
		SET(call, CURLOPT_CUSTOMREQUEST, request->method);
	/* On a connection used before, curl sends again by itself when it dies without an answer, a POST as well: that
	 * could restart a container twice. A fresh connection is never tried again. */
	if (!is_get && !is_head) {
		SET(call, CURLOPT_FRESH_CONNECT, 1L);
		SET(call, CURLOPT_FORBID_REUSE, 1L);
	}
	if (request->more)
		add_line(call, request->more);
	SET(call, CURLOPT_HTTPHEADER, call->headers);
}

static void set_deadline(struct wd_http_call *call, wd_time span)
{
	if (span <= 0)
		return;
	call->span = span;
	call->deadline = wd_timer_new(call->http->loop, on_deadline, call);
	wd_timer_set(call->deadline, wd_loop_now(call->http->loop) + span);
}

static struct wd_http_call *new_call(struct wd_http *http, const struct wd_http_target *target,
				     const struct wd_http_request *request)
{
	struct wd_http_call *call = wd_alloc(1, sizeof *call);
	call->http = http;
	call->place = wd_copy(target->socket_path ? target->socket_path : target->base_url);
	call->is_unix = target->socket_path != NULL;
	call->limit = request->limit ? request->limit : BODY_LIMIT;
	call->on_header = request->on_header;
	call->on_bytes = request->on_bytes;
	call->on_done = request->on_done;
	call->data = request->data;
	call->easy = curl_easy_init();
	call->code = call->easy ? CURLE_OK : CURLE_OUT_OF_MEMORY;
	set_callbacks(call);
	set_manners(call);
	set_target(call, target, request->path);
	set_request(call, request);
	set_deadline(call, request->deadline);
	return call;
}

struct wd_http_call *wd_http_send(struct wd_http *http, const struct wd_http_target *target,
				  const struct wd_http_request *request)
{
	assert(!http->doomed && request->on_done);
	struct wd_http_call *call = new_call(http, target, request);
	move(call, &http->waiting);
	if (http->inside_curl)
		return call;
	begin_all(http);
	if (!TAILQ_EMPTY(&http->ended))
		wd_timer_set(http->soon, wd_loop_now(http->loop));
	return call;
}

void wd_http_cancel(struct wd_http_call *call)
{
	if (!call || !call->in)
		return;
	if (call->http->inside_curl && call->in == &call->http->running) {
		call->deadline = wd_timer_free(call->deadline);
		move(call, &call->http->cancelled);
		return;
	}
	bury(call);
}

void wd_http_pause(struct wd_http_call *call, bool paused)
{
	curl_easy_pause(call->easy, paused ? CURLPAUSE_RECV : CURLPAUSE_CONT);
}

char *wd_http_escape(const char *text)
{
	static const char hex[] = "0123456789ABCDEF";
	static const char unreserved[] = "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	struct wd_text escaped = {0};
	for (const unsigned char *at = (const unsigned char *)text; *at; at++) {
		if (strchr(unreserved, *at))
			wd_text_put(&escaped, at, 1);
		else
			wd_text_put(&escaped, (char[]){'%', hex[*at >> 4], hex[*at & 15]}, 3);
	}
	return wd_text_take(&escaped);
}
