/* http_request_core.c - see http_request_core.h. */
#include "kernel/decks/operations/http_request_core.h"

#include <string.h>
#include <strings.h>

static bool lies_inside(struct kwe_http_span span, size_t length)
{
    return span.length == 0 || (span.offset >= sizeof(struct kwe_http_request) &&
                                span.offset <= length && span.length <= length - span.offset);
}

bool http_request_read(const uint8_t *record, size_t length, struct kwe_http_request *request)
{
    if (length < sizeof(*request)) {
        return false;
    }
    memcpy(request, record, sizeof(*request));
    const struct kwe_http_span path = request->text[KWE_HTTP_PATH];
    if (request->magic != KWE_HTTP_MAGIC || request->method == 0 ||
        request->method >= KWE_HTTP_METHODS || !lies_inside(request->body, length)) {
        return false;
    }
    for (uint32_t i = 0; i < KWE_HTTP_TEXTS; i++) {
        if (!lies_inside(request->text[i], length)) {
            return false;
        }
    }
    if (path.length == 0) {
        return false;
    }
    return record[path.offset] == '/' || (path.length == 1 && record[path.offset] == '*');
}

struct http_words http_request_text(const uint8_t *record, const struct kwe_http_request *request,
                                    enum kwe_http_text text)
{
    const struct kwe_http_span span = request->text[text];
    return (struct http_words){ (const char *)record + span.offset, span.length };
}

bool http_words_are(struct http_words words, const char *text)
{
    return words.length == strlen(text) && memcmp(words.bytes, text, words.length) == 0;
}

/* ---- paths -------------------------------------------------------------------------------------------------------------------- */

int http_hex_digit(char digit)
{
    if (digit >= '0' && digit <= '9') {
        return digit - '0';
    }
    digit = (char)(digit | 0x20);
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

/* The byte that stands at *at, which moves behind it; -1: it is malformed. */
static int decode_byte(struct http_words path, size_t *at)
{
    if (path.bytes[*at] != '%') {
        return (unsigned char)path.bytes[(*at)++];
    }
    if (path.length - *at < 3) {
        return -1;
    }
    const int high = http_hex_digit(path.bytes[*at + 1]);
    const int low = http_hex_digit(path.bytes[*at + 2]);
    *at += 3;
    return high < 0 || low < 0 ? -1 : high << 4 | low;
}

static bool is_dots(const char *name, size_t length)
{
    return (length == 1 && name[0] == '.') || (length == 2 && name[0] == '.' && name[1] == '.');
}

size_t http_decode_path(struct http_words path, char *to, size_t room, bool *is_directory)
{
    size_t length = 0;
    size_t name = 0; /* where the last one begins */
    size_t at = 0;

    *is_directory = false;
    while (at < path.length) {
        const bool is_slash = path.bytes[at] == '/';
        const int byte = decode_byte(path, &at);
        if (byte <= 0 || (byte == '/' && !is_slash) || (length == 0 && !is_slash)) {
            return 0;
        }
        if (is_slash && length != 0 && length == name) {
            continue; /* an empty name */
        }
        if (length == room || (is_slash && is_dots(to + name, length - name))) {
            return 0;
        }
        to[length++] = (char)byte;
        name = is_slash ? length : name;
    }
    if (length == 0 || is_dots(to + name, length - name)) {
        return 0;
    }
    *is_directory = length == name;
    return length > 1 && *is_directory ? length - 1 : length;
}

/* ---- ranges ------------------------------------------------------------------------------------------------------------------- */

/* Digits at *at, which moves behind them. False: there are none, or too many. */
static bool take_number(struct http_words text, size_t *at, uint64_t *number)
{
    const size_t begin = *at;

    *number = 0;
    while (*at < text.length && text.bytes[*at] >= '0' && text.bytes[*at] <= '9') {
        *number = *number * 10 + (uint64_t)(text.bytes[*at] - '0');
        (*at)++;
    }
    return *at != begin && *at - begin <= 18;
}

struct http_range http_parse_range(struct http_words text)
{
    static const char unit[] = "bytes=";
    const struct http_range none = { .is_there = false };
    struct http_range range = { .is_there = true, .last = UINT64_MAX };
    size_t at = sizeof(unit) - 1;

    if (text.length < at || strncasecmp(text.bytes, unit, at) != 0) {
        return none;
    }
    range.from_end = at < text.length && text.bytes[at] == '-';
    if (range.from_end) {
        at++;
        return take_number(text, &at, &range.first) && at == text.length ? range : none;
    }
    if (!take_number(text, &at, &range.first) || at == text.length || text.bytes[at++] != '-') {
        return none;
    }
    if (at == text.length) {
        return range;
    }
    return take_number(text, &at, &range.last) && at == text.length && range.last >= range.first
               ? range
               : none;
}

bool http_resolve_range(const struct http_range *range, uint64_t size, uint64_t *first,
                        uint64_t *count)
{
    if (range->from_end) {
        *count = range->first < size ? range->first : size;
        *first = size - *count;
        return *count != 0;
    }
    if (range->first >= size) {
        return false;
    }
    const uint64_t last = range->last < size ? range->last : size - 1;
    *first = range->first;
    *count = last - range->first + 1;
    return true;
}

/* ---- dates (RFC 9110, 5.6.7) ---------------------------------------------------------------------------------------------------- */

#define SECONDS_A_DAY 86400u
#define LAST_DATE     253402300800ull /* the year 10000 */

static const char days[] = "ThuFriSatSunMonTueWed";
static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

/* Days since 1970 of a day of the Gregorian calendar, its months counted from March (which puts the leap day last). */
static uint64_t days_of(uint64_t year, uint64_t month, uint64_t day)
{
    const uint64_t from_march = (month + 9) % 12;
    const uint64_t y = year - (month <= 2 ? 1 : 0);
    return 365 * y + y / 4 - y / 100 + y / 400 + (153 * from_march + 2) / 5 + day - 1 - 719468;
}

/* The day's date, by the same count from March: eras of 400 years, then the day's place in the year, of which five months have 153 days. */
static void date_of(uint64_t day, uint64_t *year, uint64_t *month, uint64_t *of_month)
{
    const uint64_t era_days = 146097, from_era = day + 719468;
    const uint64_t era = from_era / era_days, of_era = from_era % era_days;
    const uint64_t of_400 =
        (of_era - of_era / 1460 + of_era / 36524 - of_era / (era_days - 1)) / 365;
    const uint64_t of_year = of_era - (365 * of_400 + of_400 / 4 - of_400 / 100);
    const uint64_t from_march = (5 * of_year + 2) / 153;

    *of_month = of_year - (153 * from_march + 2) / 5 + 1;
    *month = from_march < 10 ? from_march + 3 : from_march - 9;
    *year = era * 400 + of_400 + (*month <= 2 ? 1 : 0);
}

/* So many digits of a number, to its end. */
static void put_digits(char *to, unsigned number, int count)
{
    while (count-- > 0) {
        to[count] = (char)('0' + number % 10);
        number /= 10;
    }
}

void http_format_date(uint64_t seconds, char text[HTTP_DATE_BYTES])
{
    seconds = seconds < LAST_DATE ? seconds : LAST_DATE - 1;
    const uint64_t day = seconds / SECONDS_A_DAY;
    const unsigned second = (unsigned)(seconds % SECONDS_A_DAY);
    uint64_t year, month, of_month;
    date_of(day, &year, &month, &of_month);
    memcpy(text, "ddd, 00 mmm 0000 00:00:00 GMT", HTTP_DATE_BYTES);
    memcpy(text, days + day % 7 * 3, 3);
    put_digits(text + 5, (unsigned)of_month, 2);
    memcpy(text + 8, months + (month - 1) * 3, 3);
    put_digits(text + 12, (unsigned)year, 4);
    put_digits(text + 17, second / 3600, 2);
    put_digits(text + 20, second / 60 % 60, 2);
    put_digits(text + 23, second % 60, 2);
}

/* Two or four digits at a place. */
static uint64_t digits(const char *text, int count)
{
    uint64_t number = 0;
    for (int i = 0; i < count; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return UINT32_MAX;
        }
        number = number * 10 + (uint64_t)(text[i] - '0');
    }
    return number;
}

bool http_parse_date(struct http_words words, uint64_t *seconds)
{
    char again[HTTP_DATE_BYTES];
    const char *text = words.bytes;

    if (words.length != HTTP_DATE_BYTES - 1) {
        return false;
    }
    uint64_t month = 1;
    while (month <= 12 && memcmp(text + 8, months + (month - 1) * 3, 3) != 0) {
        month++;
    }
    const uint64_t day = digits(text + 5, 2), year = digits(text + 12, 4);
    const uint64_t hour = digits(text + 17, 2), minute = digits(text + 20, 2),
                   second = digits(text + 23, 2);
    if (month > 12 || day > 31 || year < 1970 || year > 9999 || hour > 23 || minute > 59 ||
        second > 59) {
        return false;
    }
    *seconds = days_of(year, month, day) * SECONDS_A_DAY + hour * 3600 + minute * 60 + second;
    http_format_date(*seconds,
                     again); /* the day of the week, the 31st of a short month, the commas */
    return memcmp(again, text, words.length) == 0;
}
