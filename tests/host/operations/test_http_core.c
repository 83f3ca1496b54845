/*
 * test_http_core.c - what requests are for, forms, pages: whatever a client sends.
 *
 * uses: kernel/decks/operations/http_request_core.c kernel/decks/operations/http_route_core.c
 * uses: kernel/decks/operations/http_form_core.c kernel/decks/operations/http_render_core.c
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/decks/operations/http_render_core.h"

static const char routes[] = "GET / file /www/index.html\n"
                             "\n"
                             "POST  /book\tchange /book.html\n"
                             "GET /metrics text text/plain\n"
                             "GET /live stream multipart/x-mixed-replace;boundary=b\n"
                             "GET /data/... file /d\n"
                             "GET,POST /... file /www\n";

/* ---- requests by hand ----------------------------------------------------------------------------------------------------------- */

static struct {
    uint8_t bytes[4096];
    size_t length;
} made;

static void put_span(struct kwe_http_span *span, const char *text)
{
    if (text != NULL) {
        *span = (struct kwe_http_span){ (uint32_t)made.length, (uint32_t)strlen(text) };
        memcpy(made.bytes + made.length, text, strlen(text));
        made.length += strlen(text);
    }
}

static void make_request(enum kwe_http_method method, const char *path, enum kwe_http_text which,
                         const char *text, const char *body)
{
    struct kwe_http_request request = { .magic = KWE_HTTP_MAGIC,
                                        .method = (uint8_t)method,
                                        .minor = 1 };

    made.length = sizeof(request);
    put_span(&request.text[KWE_HTTP_PATH], path);
    put_span(&request.text[which], text);
    put_span(&request.body, body);
    memcpy(made.bytes, &request, sizeof(request));
}

static void get(const char *path)
{
    make_request(KWE_HTTP_GET, path, KWE_HTTP_HOST, NULL, NULL);
}

static struct http_words words(const char *text)
{
    return (struct http_words){ text, strlen(text) };
}

static const struct http_table *table_of(const char *text)
{
    static struct http_table table;

    assert(http_table_read(&table, words(text)) == KERR_OK);
    return &table;
}

static struct http_route route(void)
{
    struct kwe_http_request request;
    struct http_route found;

    assert(http_route(made.bytes, made.length, table_of(routes), &request, &found) == KERR_OK);
    return found;
}

static bool leads_to(const char *path, const char *file)
{
    get(path);
    const struct http_route found = route();
    return found.kind == HTTP_KIND_FILE && found.path.length == strlen(file) &&
           memcmp(found.path.bytes, file, found.path.length) == 0;
}

static bool is_refused(const char *path, uint32_t status)
{
    get(path);
    const struct http_route found = route();
    return found.kind == HTTP_KIND_REFUSED && found.status == status;
}

/* ---- routes --------------------------------------------------------------------------------------------------------------------- */

static void test_paths_lead_to_files_by_the_first_line_that_fits(void)
{
    assert(leads_to("/", "/www/index.html") && leads_to("/data/a", "/d/a"));
    assert(leads_to("/data", "/d") && leads_to("/data/", "/d") &&
           leads_to("/database", "/www/database"));
    assert(leads_to("/a%20b/%C3%A4", "/www/a b/\xc3\xa4") && leads_to("//a///b//", "/www/a/b"));
    assert(leads_to("/...", "/www/...") && leads_to("/.hidden", "/www/.hidden"));
}

static void test_paths_cannot_leave_or_be_ambiguous(void)
{
    char longer[400];

    assert(is_refused("/..", 400) && is_refused("/../etc", 400) && is_refused("/a/../../b", 400));
    assert(is_refused("/%2e%2e/b", 400) && is_refused("/.%2E", 400) && is_refused("/a/./b", 400));
    assert(is_refused("/a%2fb", 400) && is_refused("/a%00b", 400) && is_refused("/a%", 400));
    assert(is_refused("/a%4", 400) && is_refused("/a%zz", 400) && is_refused("*", 400));
    memset(longer, 'a', sizeof(longer));
    longer[0] = '/';
    longer[255] = '\0';
    assert(is_refused(longer, 400));
    longer[253] = '\0';
    assert(is_refused(longer, 404)); /* behind its target there is no room */
    longer[251] = '\0';
    get(longer);
    assert(route().kind == HTTP_KIND_REFUSED);
    longer[250] = '\0';
    get(longer);
    assert(route().kind == HTTP_KIND_FILE && route().path.length == 254);
}

static void test_methods(void)
{
    make_request(KWE_HTTP_HEAD, "/x", KWE_HTTP_HOST, NULL, NULL);
    assert(route().kind == HTTP_KIND_FILE);
    make_request(KWE_HTTP_POST, "/book", KWE_HTTP_HOST, NULL, NULL);
    assert(route().kind == HTTP_KIND_CHANGE);
    make_request(KWE_HTTP_DELETE, "/data/a", KWE_HTTP_HOST, NULL, NULL);
    assert(route().status == 405 &&
           route().methods == (1u << KWE_HTTP_GET | 1u << KWE_HTTP_HEAD | 1u << KWE_HTTP_POST));
}

static void test_a_table_that_is_malformed_is_refused_whole(void)
{
    static const char *const bad[] = { "GET / file",        "GOT / file /x",  "GET x file /x",
                                       "GET / thing /x",    "GET / file www", ", / file /x",
                                       "GET / file /x\nGET" };
    struct kwe_http_request request;
    struct http_route found;
    struct http_table table = { .count = 0 };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert(http_table_read(&table, words(bad[i])) == KERR_BAD_PARAMETER && table.count == 0);
    }
    get("/");
    assert(http_route(made.bytes, 10, table_of(routes), &request, &found) == KERR_BAD_REQUEST);
}

static void test_a_table_is_read_again_when_it_has_changed(void)
{
    char text[] = "GET / file /a\n\n \nGET /x file /b";
    struct http_table table = { .count = 0 };

    assert(http_table_read(&table, words(text)) == KERR_OK && table.count == 2);
    const struct http_table_line *before = table.line;
    assert(http_table_read(&table, words(text)) == KERR_OK && table.line == before);
    for (size_t i = 0; i < sizeof(text) - 1; i++) {
        struct kwe_http_request request;
        struct http_route found;
        const char kept = text[i];
        text[i] = '!';
        const enum kerr status = http_table_read(&table, words(text));
        text[i] = kept;
        assert(status == KERR_BAD_PARAMETER || (status == KERR_OK && table.text.bytes[i] == '!'));
        get("/");
        assert(http_table_read(&table, words(text)) == KERR_OK);
        assert(http_route(made.bytes, made.length, &table, &request, &found) == KERR_OK &&
               found.path.length == 2 && memcmp(found.path.bytes, "/a", 2) == 0);
    }
    assert(http_table_read(&table, words("")) == KERR_OK && table.count == 0);
    http_table_free(&table);
}

static void test_ranges(void)
{
    static const struct {
        const char *text;
        bool is_there, is_satisfied;
        uint64_t first, count, read_offset, read_bytes;
    } cases[] = {
        { "bytes=0-9", true, true, 0, 10, 0, 10 },
        { "bytes=90-200", true, true, 90, 10, 90, 111 },
        { "bytes=5-", true, true, 5, 95, 5, 0 },
        { "bytes=-7", true, true, 93, 7, UINT64_MAX - 6, 7 },
        { "bytes=-700", true, true, 0, 100, UINT64_MAX - 699, 700 },
        { "bytes=100-", true, false, 0, 0, 100, 0 },
        { "bytes=-0", true, false, 0, 0, 0, 0 },
        { "bytes=9-5", false, false, 0, 0, 0, 0 },
        { "bytes=0-1,5-6", false, false, 0, 0, 0, 0 },
        { "bytes=", false, false, 0, 0, 0, 0 },
        { "bytes=-", false, false, 0, 0, 0, 0 },
        { "bytes=99999999999999999999-", false, false, 0, 0, 0, 0 },
        { "lines=1-2", false, false, 0, 0, 0, 0 },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint64_t first, count, offset, bytes;
        make_request(KWE_HTTP_GET, "/x", KWE_HTTP_RANGE, cases[i].text, NULL);
        const struct http_route found = route();
        struct kwe_http_request request;
        assert(http_request_read(made.bytes, made.length, &request));
        http_route_part(&found, &request, UINT64_MAX, &offset, &bytes);
        assert(found.range.is_there == cases[i].is_there);
        assert(offset == cases[i].read_offset && bytes == cases[i].read_bytes);
        if (found.range.is_there) {
            assert(http_resolve_range(&found.range, 100, &first, &count) == cases[i].is_satisfied);
            assert(!cases[i].is_satisfied || (first == cases[i].first && count == cases[i].count));
        }
    }
}

/* ---- dates ---------------------------------------------------------------------------------------------------------------------- */

static void test_dates_there_and_back(void)
{
    char text[HTTP_DATE_BYTES];
    uint64_t seconds;

    http_format_date(784111777, text);
    assert(strcmp(text, "Sun, 06 Nov 1994 08:49:37 GMT") == 0);
    http_format_date(951782400, text);
    assert(strcmp(text, "Tue, 29 Feb 2000 00:00:00 GMT") == 0);
    for (uint64_t at = 0; at < 253402300800ull; at += 86400ull * 97 + 12345) {
        http_format_date(at, text);
        assert(http_parse_date(words(text), &seconds) && seconds == at);
    }
    http_format_date(UINT64_MAX, text);
    assert(!http_parse_date(words("Mon, 06 Nov 1994 08:49:37 GMT"), &seconds));
    assert(!http_parse_date(words("Sun, 31 Feb 1994 08:49:37 GMT"), &seconds));
    assert(!http_parse_date(words("Sunday, 06-Nov-94 08:49:37 GMT"), &seconds));
    assert(!http_parse_date(words(""), &seconds));
}

/* ---- forms ---------------------------------------------------------------------------------------------------------------------- */

static enum kerr form(const char *body, char *line, size_t room)
{
    struct http_text text = { .bytes = line, .capacity = room - 1 };

    make_request(KWE_HTTP_POST, "/book", KWE_HTTP_CONTENT_TYPE,
                 "Application/x-www-form-urlencoded; charset=x", body);
    enum kerr error = http_form(made.bytes, made.length, &text);
    line[text.length] = '\0';
    return error;
}

static void test_a_form_is_one_line_of_json(void)
{
    char line[256];

    assert(form("name=A+B&text=%22x%22%0a%5C%C3%A4&&e=", line, sizeof(line)) == KERR_OK);
    assert(
        strcmp(
            line,
            "{\"name\":\"A B\",\"text\":\"\\u0022x\\u0022\\u000a\\u005c\xc3\xa4\",\"e\":\"\"}\n") ==
        0);
    assert(form("a=%ff%c3&b=%e0%80%80%", line, sizeof(line)) == KERR_OK);
    assert(strcmp(line, "{\"a\":\"\xef\xbf\xbd\xef\xbf\xbd\",\"b\":\"\xef\xbf\xbd%\"}\n") == 0);
    assert(form("", line, sizeof(line)) == KERR_BAD_REQUEST);
    assert(form("name=0123456789", line, 20) == KERR_OUTPUT_TOO_LARGE);
    make_request(KWE_HTTP_POST, "/book", KWE_HTTP_CONTENT_TYPE, "text/plain", "a=b");
    struct http_text text = { .bytes = line, .capacity = sizeof(line) };
    assert(http_form(made.bytes, made.length, &text) == KERR_BAD_REQUEST);
}

/* ---- pages ---------------------------------------------------------------------------------------------------------------------- */

static char page_bytes[4097];

static struct http_page render(const struct http_outcome *outcome)
{
    struct http_page page = { .text = { .bytes = page_bytes, .capacity = sizeof(page_bytes) - 1 } };

    assert(http_render(made.bytes, made.length, table_of(routes), outcome, &page) == KERR_OK);
    page_bytes[page.text.length] = '\0';
    return page;
}

static bool says(const char *text)
{
    return strstr(page_bytes, text) != NULL;
}

static void test_a_file_goes_out_with_its_validators(void)
{
    const struct http_outcome outcome = { .size = 100, .loaded = 100, .mtime = 784111777 };

    get("/x.HTML");
    struct http_page page = render(&outcome);
    assert(page.status == 200 && page.file_bytes == 100 && page.length == 100);
    assert(page.head_bytes == page.text.length &&
           says("Content-Type: text/html; charset=utf-8\r\n"));
    assert(says("Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n"));
    const char *tag = strstr(page_bytes, "ETag: ") + 6;
    char tags[100];
    (void)snprintf(tags, sizeof(tags), "\"other\", W/%.*s", (int)strcspn(tag, "\r"), tag);
    make_request(KWE_HTTP_GET, "/x.html", KWE_HTTP_IF_NONE_MATCH, tags, NULL);
    page = render(&outcome);
    assert(page.status == 304 && page.file_bytes == 0 && page.length == 0 && says("ETag: "));
    make_request(KWE_HTTP_GET, "/x", KWE_HTTP_IF_NONE_MATCH, "\"other\"", NULL);
    assert(render(&outcome).status == 200);
    make_request(KWE_HTTP_GET, "/x", KWE_HTTP_IF_MODIFIED_SINCE, "Sun, 06 Nov 1994 08:49:37 GMT",
                 NULL);
    assert(render(&outcome).status == 304);
    make_request(KWE_HTTP_GET, "/x", KWE_HTTP_IF_MODIFIED_SINCE, "Sun, 06 Nov 1994 08:49:36 GMT",
                 NULL);
    assert(render(&outcome).status == 200);
}

static void test_a_range_is_206_or_416(void)
{
    const struct http_outcome part = { .size = 100, .loaded = 10 };

    make_request(KWE_HTTP_GET, "/x", KWE_HTTP_RANGE, "bytes=-10", NULL);
    struct http_page page = render(&part);
    assert(page.status == 206 && page.length == 10 && says("Content-Range: bytes 90-99/100\r\n"));
    make_request(KWE_HTTP_GET, "/x", KWE_HTTP_RANGE, "bytes=100-", NULL);
    page = render(&part);
    assert(page.status == 416 && page.file_bytes == 0 && says("Content-Range: bytes */100\r\n"));
    make_request(KWE_HTTP_GET, "/x", KWE_HTTP_RANGE, "bytes=0-50", NULL);
    page = render(&part); /* only so much was read: its beginning is an answer */
    assert(page.status == 206 && page.length == 10 && says("Content-Range: bytes 0-9/100\r\n"));
}

static void test_a_file_too_large_for_one_read_comes_in_parts(void)
{
    struct http_outcome outcome = { .load = KERR_OUTPUT_TOO_LARGE,
                                    .whole = 1000000,
                                    .whole_mtime = 784111777 };

    get("/x.bin");
    struct http_page page = render(&outcome);
    assert(page.status == 200 && page.file_bytes == 0 && page.more_bytes == 1000000);
    assert(page.length == 1000000 && page.head_bytes == page.text.length);
    make_request(KWE_HTTP_GET, "/x", KWE_HTTP_IF_MODIFIED_SINCE, "Sun, 06 Nov 1994 08:49:37 GMT",
                 NULL);
    page = render(&outcome);
    assert(page.status == 304 && page.more_bytes == 0);
    get("/x/");
    assert(render(&outcome).status == 500);
}

static void test_a_head_says_the_whole_length(void)
{
    const struct http_outcome outcome = { .size = 100, .loaded = 1 };

    make_request(KWE_HTTP_HEAD, "/x", KWE_HTTP_HOST, NULL, NULL);
    struct http_page page = render(&outcome);
    assert(page.status == 200 && page.length == 100);
}

static void test_directories(void)
{
    const char *lines = "f 12 a&b <c>.txt\nd 0 sub\nf 3 javascript:x\n";
    struct http_outcome outcome = { .load = KERR_IS_A_DIRECTORY, .list_lines = words(lines) };

    get("/dir%20x");
    assert(render(&outcome).status == 301 && says("Location: /dir%20x/\r\n"));
    get("//evil.example//");
    assert(render(&outcome).status == 200);
    get("//evil.example");
    assert(render(&outcome).status == 301 && says("Location: /evil.example/\r\n"));
    get("/dir/");
    struct http_page page = render(&outcome);
    assert(page.status == 200 && page.length == page.text.length - page.head_bytes);
    assert(says("<a href=\"./a%26b%20%3Cc%3E.txt\">a&amp;b &lt;c&gt;.txt</a></td><td>12<"));
    assert(says("<a href=\"./sub/\">sub/</a>") && says("href=\"./javascript%3Ax\""));
    outcome.list = KERR_IO_ERROR;
    assert(render(&outcome).status == 500);
}

static void test_failures_are_statuses(void)
{
    struct http_outcome outcome = { .load = KERR_NO_SUCH_FILE };

    get("/x");
    assert(render(&outcome).status == 404);
    outcome.load = KERR_NOT_PERMITTED;
    assert(render(&outcome).status == 403);
    outcome.load = KERR_DECK_DOWN;
    assert(render(&outcome).status == 503);
    outcome.load = KERR_OK;
    get("/x/");
    assert(render(&outcome).status == 404);
    make_request(KWE_HTTP_DELETE, "/x", KWE_HTTP_HOST, NULL, NULL);
    assert(render(&outcome).status == 405 && says("Allow: GET, HEAD, POST\r\n"));
    make_request(KWE_HTTP_POST, "/book", KWE_HTTP_HOST, NULL, NULL);
    assert(render(&outcome).status == 303 && says("Location: /book.html\r\n"));
    outcome.change = KERR_NO_SPACE;
    assert(render(&outcome).status == 507);
    outcome.text = words("a 1\n");
    get("/metrics");
    assert(render(&outcome).status == 200 && says("Content-Type: text/plain\r\n") &&
           says("\r\na 1\n"));
}

static void test_a_stream_has_a_beginning_and_no_length(void)
{
    const struct http_outcome outcome = { .text = words("--b\r\n") };

    get("/live");
    struct http_page page = render(&outcome);
    assert(page.status == 200 && page.more_bytes == UINT64_MAX);
    assert(says("Content-Type: multipart/x-mixed-replace;boundary=b\r\n"));
    assert(strcmp(page_bytes + page.head_bytes, "--b\r\n") == 0);
    make_request(KWE_HTTP_POST, "/live", KWE_HTTP_HOST, NULL, NULL);
    page = render(&outcome);
    assert(page.more_bytes == 0);
}

static void test_a_listing_that_does_not_fit_is_an_error_page(void)
{
    static char lines[8192];
    struct http_outcome outcome = { .load = KERR_IS_A_DIRECTORY };

    for (size_t i = 0; i + 8 < sizeof(lines); i += 8) {
        memcpy(lines + i, "f 1 abc\n", 8);
    }
    outcome.list_lines = words(lines);
    get("/dir/");
    assert(render(&outcome).status == 500 && says("The answer could not be made"));
}

/* ---- whatever comes --------------------------------------------------------------------------------------------------------------- */

/* Damaged requests: any answer will do, but one that reads beyond what is there. The sanitizers look on. */
static void test_damaged_requests_do_no_harm(void)
{
    srand(1);
    for (unsigned round = 0; round < 100000; round++) {
        struct http_page page = { .text = { .bytes = page_bytes, .capacity = 2000 } };
        struct http_outcome outcome = { .size = (uint64_t)rand(), .loaded = (uint64_t)rand() };
        char line[200];
        struct http_text text = { .bytes = line, .capacity = sizeof(line) };
        make_request((enum kwe_http_method)(rand() % 8), "/data/%41b/../x",
                     (enum kwe_http_text)(1 + rand() % 7), "bytes=10-20,\"a\"", "a=%c3%a4&b=c+d");
        for (int i = rand() % 8; i > 0; i--) {
            made.bytes[(size_t)rand() % made.length] = (uint8_t)rand();
        }
        const size_t length = made.length - (size_t)(rand() % 4 == 0 ? rand() % 40 : 0);
        uint8_t *exact = malloc(length);
        memcpy(exact, made.bytes, length);
        (void)http_render(exact, length, table_of(routes), &outcome, &page);
        (void)http_form(exact, length, &text);
        free(exact);
    }
}

int main(void)
{
    test_paths_lead_to_files_by_the_first_line_that_fits();
    test_paths_cannot_leave_or_be_ambiguous();
    test_methods();
    test_a_table_is_read_again_when_it_has_changed();
    test_a_table_that_is_malformed_is_refused_whole();
    test_ranges();
    test_dates_there_and_back();
    test_a_form_is_one_line_of_json();
    test_a_file_goes_out_with_its_validators();
    test_a_range_is_206_or_416();
    test_a_file_too_large_for_one_read_comes_in_parts();
    test_a_head_says_the_whole_length();
    test_directories();
    test_failures_are_statuses();
    test_a_stream_has_a_beginning_and_no_length();
    test_a_listing_that_does_not_fit_is_an_error_page();
    test_damaged_requests_do_no_harm();
    return 0;
}
