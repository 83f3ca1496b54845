/*
 * errors.c - the names and sentences of the error codes.
 *
 * GENERATED, do not edit.
 *   spec      kernel/abi/errors.yaml
 *   template  codegen/templates/errors.c.j2
 *   rebuild   make gen
 */
#include "kernel/abi/errors.h"

static const char *const names[KERR_COUNT] = {
    [KERR_OK] = "OK",
    [KERR_BAD_CALL] = "BAD_CALL",
    [KERR_BAD_ADDRESS] = "BAD_ADDRESS",
    [KERR_BAD_HANDLE] = "BAD_HANDLE",
    [KERR_NOT_BUILT] = "NOT_BUILT",
    [KERR_NOT_PERMITTED] = "NOT_PERMITTED",
    [KERR_TOO_MANY] = "TOO_MANY",
    [KERR_NO_MEMORY] = "NO_MEMORY",
    [KERR_TIMED_OUT] = "TIMED_OUT",
    [KERR_BAD_WORKFLOW] = "BAD_WORKFLOW",
    [KERR_BAD_CYCLE] = "BAD_CYCLE",
    [KERR_UNKNOWN_DECK] = "UNKNOWN_DECK",
    [KERR_UNKNOWN_OP] = "UNKNOWN_OP",
    [KERR_BAD_PARAMETER] = "BAD_PARAMETER",
    [KERR_BAD_BINDING] = "BAD_BINDING",
    [KERR_OVER_LIMITS] = "OVER_LIMITS",
    [KERR_BAD_EVENT] = "BAD_EVENT",
    [KERR_OVERLOADED] = "OVERLOADED",
    [KERR_CANCELLED] = "CANCELLED",
    [KERR_DEADLINE_PASSED] = "DEADLINE_PASSED",
    [KERR_DECK_FAULT] = "DECK_FAULT",
    [KERR_DECK_DOWN] = "DECK_DOWN",
    [KERR_DECK_BROKE_RULES] = "DECK_BROKE_RULES",
    [KERR_OUTPUT_TOO_LARGE] = "OUTPUT_TOO_LARGE",
    [KERR_TOO_LARGE] = "TOO_LARGE",
    [KERR_OUT_OF_SCRATCH] = "OUT_OF_SCRATCH",
    [KERR_NOT_A_JPEG] = "NOT_A_JPEG",
    [KERR_BAD_PICTURE] = "BAD_PICTURE",
    [KERR_CORRUPT_DATA] = "CORRUPT_DATA",
    [KERR_NOT_AUTHENTIC] = "NOT_AUTHENTIC",
    [KERR_BAD_KEY] = "BAD_KEY",
    [KERR_NO_SUCH_FILE] = "NO_SUCH_FILE",
    [KERR_EXISTS] = "EXISTS",
    [KERR_NOT_A_DIRECTORY] = "NOT_A_DIRECTORY",
    [KERR_IS_A_DIRECTORY] = "IS_A_DIRECTORY",
    [KERR_NOT_EMPTY] = "NOT_EMPTY",
    [KERR_NO_SPACE] = "NO_SPACE",
    [KERR_NAME_TOO_LONG] = "NAME_TOO_LONG",
    [KERR_BAD_PATH] = "BAD_PATH",
    [KERR_IO_ERROR] = "IO_ERROR",
    [KERR_CORRUPT_FILESYSTEM] = "CORRUPT_FILESYSTEM",
    [KERR_NOT_SUPPORTED] = "NOT_SUPPORTED",
    [KERR_DEVICE_GONE] = "DEVICE_GONE",
    [KERR_DEVICE_TIMEOUT] = "DEVICE_TIMEOUT",
    [KERR_DEVICE_REFUSED] = "DEVICE_REFUSED",
    [KERR_NO_DEVICE] = "NO_DEVICE",
    [KERR_BOUND_REACHED] = "BOUND_REACHED",
    [KERR_BAD_SAMPLES] = "BAD_SAMPLES",
    [KERR_BAD_STATE] = "BAD_STATE",
    [KERR_NETWORK_DOWN] = "NETWORK_DOWN",
    [KERR_CONNECTION_REFUSED] = "CONNECTION_REFUSED",
    [KERR_CONNECTION_RESET] = "CONNECTION_RESET",
    [KERR_CONNECTION_CLOSED] = "CONNECTION_CLOSED",
    [KERR_UNREACHABLE] = "UNREACHABLE",
    [KERR_PORT_IN_USE] = "PORT_IN_USE",
    [KERR_BAD_NAME] = "BAD_NAME",
    [KERR_NO_SUCH_NAME] = "NO_SUCH_NAME",
    [KERR_BAD_REQUEST] = "BAD_REQUEST",
    [KERR_BAD_RESPONSE] = "BAD_RESPONSE",
    [KERR_NEED_ROOM] = "NEED_ROOM",
};

static const char *const sentences[KERR_COUNT] = {
    [KERR_OK] = "It is done.",
    [KERR_BAD_CALL] = "No such call, or an argument of it is out of range.",
    [KERR_BAD_ADDRESS] =
        "The memory named does not lie in the caller's own mapped, suitably writable memory.",
    [KERR_BAD_HANDLE] = "The id names nothing of the caller's, or something that has gone.",
    [KERR_NOT_BUILT] = "The wire format knows this, but this kernel does not carry it out yet.",
    [KERR_NOT_PERMITTED] = "The caller, or its manifest, does not allow this.",
    [KERR_TOO_MANY] = "A table of the nucleus, or of a deck, has no free entry.",
    [KERR_NO_MEMORY] = "There is not enough memory.",
    [KERR_TIMED_OUT] = "The time given ran out.",
    [KERR_BAD_WORKFLOW] = "The workflow is malformed; the stage named is where.",
    [KERR_BAD_CYCLE] = "The stages wait for each other in a circle.",
    [KERR_UNKNOWN_DECK] = "No deck has this prefix.",
    [KERR_UNKNOWN_OP] = "The deck has no such operation.",
    [KERR_BAD_PARAMETER] = "A parameter is missing, of the wrong kind or out of range.",
    [KERR_BAD_BINDING] =
        "A binding names a stage, value or field that does not exist or does not come earlier.",
    [KERR_OVER_LIMITS] = "The workflow is larger than the kernel's limits.",
    [KERR_BAD_EVENT] = "A field of the event's slot is invalid.",
    [KERR_OVERLOADED] = "The workflow has no room for more waiting events.",
    [KERR_CANCELLED] = "The event was cancelled before it could finish.",
    [KERR_DEADLINE_PASSED] = "The event's deadline passed before it could finish.",
    [KERR_DECK_FAULT] = "The deck that held the event, or its output, died.",
    [KERR_DECK_DOWN] = "The deck has been given up after too many restarts, or never started.",
    [KERR_DECK_BROKE_RULES] = "The deck answered what it may not; it was restarted.",
    [KERR_OUTPUT_TOO_LARGE] = "The output does not fit the room that the workflow has for it.",
    [KERR_TOO_LARGE] =
        "What came in, or was asked for, is larger than the operation can take, however much room there is.",
    [KERR_OUT_OF_SCRATCH] = "The operation ran out of its deck's private memory.",
    [KERR_NOT_A_JPEG] = "The bytes are not a JPEG picture that can be decoded.",
    [KERR_BAD_PICTURE] = "The picture's size, channels or pixel count do not agree.",
    [KERR_CORRUPT_DATA] = "The compressed data is damaged.",
    [KERR_NOT_AUTHENTIC] = "The sealed data was changed, or the key is wrong.",
    [KERR_BAD_KEY] = "The key does not have the length that the cipher needs.",
    [KERR_NO_SUCH_FILE] = "There is no such file or directory.",
    [KERR_EXISTS] = "It exists already.",
    [KERR_NOT_A_DIRECTORY] = "A part of the path is no directory.",
    [KERR_IS_A_DIRECTORY] = "The path names a directory.",
    [KERR_NOT_EMPTY] = "The directory is not empty.",
    [KERR_NO_SPACE] = "The disk is full.",
    [KERR_NAME_TOO_LONG] = "A name in the path is longer than the file system allows.",
    [KERR_BAD_PATH] = "The path is empty, not absolute, or holds a NUL, \042.\042 or \042..\042.",
    [KERR_IO_ERROR] = "The device reported an error.",
    [KERR_CORRUPT_FILESYSTEM] = "The file system's own records contradict each other.",
    [KERR_NOT_SUPPORTED] =
        "The device or file system asks for a feature that this driver does not have.",
    [KERR_DEVICE_GONE] = "The device's other side does not answer any more.",
    [KERR_DEVICE_TIMEOUT] = "The device did not answer this request in time.",
    [KERR_DEVICE_REFUSED] = "The device refused the request as malformed.",
    [KERR_NO_DEVICE] = "The deck found no such device.",
    [KERR_BOUND_REACHED] = "The loop's condition did not hold after as many rounds as it may take.",
    [KERR_BAD_SAMPLES] =
        "The bytes are no whole number of samples of this format, or there are too few of them.",
    [KERR_BAD_STATE] = "The state is not one that the operation before it could have left.",
    [KERR_NETWORK_DOWN] = "The card has no link, or there is no address to send from.",
    [KERR_CONNECTION_REFUSED] = "Nobody takes connections at that address and port.",
    [KERR_CONNECTION_RESET] =
        "The other side, or a time that ran out without an answer from it, ended the connection.",
    [KERR_CONNECTION_CLOSED] = "The connection was closed.",
    [KERR_UNREACHABLE] = "No way leads to that address, or nobody answers there.",
    [KERR_PORT_IN_USE] = "The port is another workflow's.",
    [KERR_BAD_NAME] = "The name is empty or longer than names of hosts are.",
    [KERR_NO_SUCH_NAME] = "No address of that name is known, or no name server answers.",
    [KERR_BAD_REQUEST] = "The bytes are no request as http_receive leaves it.",
    [KERR_BAD_RESPONSE] = "The response is not HTTP, or contradicts itself.",
    [KERR_NEED_ROOM] =
        "The output needs more room than was kept for it. Between decks and nucleus only, no event ends with it.",
};

const char *kerr_name(enum kerr code)
{
    /* The cast: what came over a ring or a wire may be any number. */
    return (unsigned)code < KERR_COUNT ? names[code] : "UNKNOWN";
}

const char *kerr_sentence(enum kerr code)
{
    return (unsigned)code < KERR_COUNT ? sentences[code] : "A code that is not known here.";
}
