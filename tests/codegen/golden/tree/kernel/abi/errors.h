/*
 * errors.h - every code that the system can answer with.
 *
 * GENERATED, do not edit.
 *   spec      kernel/abi/errors.yaml
 *   template  codegen/templates/errors.h.j2
 *   rebuild   make gen
 */
#pragma once

enum kerr {
    KERR_OK = 0,       /* It is done. */
    KERR_BAD_CALL = 1, /* No such call, or an argument of it is out of range. */
    /* The memory named does not lie in the caller's own mapped, suitably writable memory. */
    KERR_BAD_ADDRESS = 2,
    /* The id names nothing of the caller's, or something that has gone. */
    KERR_BAD_HANDLE = 3,
    /* The wire format knows this, but this kernel does not carry it out yet. */
    KERR_NOT_BUILT = 4,
    KERR_NOT_PERMITTED = 5,  /* The caller, or its manifest, does not allow this. */
    KERR_TOO_MANY = 6,       /* A table of the nucleus, or of a deck, has no free entry. */
    KERR_NO_MEMORY = 7,      /* There is not enough memory. */
    KERR_TIMED_OUT = 8,      /* The time given ran out. */
    KERR_BAD_WORKFLOW = 9,   /* The workflow is malformed; the stage named is where. */
    KERR_BAD_CYCLE = 10,     /* The stages wait for each other in a circle. */
    KERR_UNKNOWN_DECK = 11,  /* No deck has this prefix. */
    KERR_UNKNOWN_OP = 12,    /* The deck has no such operation. */
    KERR_BAD_PARAMETER = 13, /* A parameter is missing, of the wrong kind or out of range. */
    /* A binding names a stage, value or field that does not exist or does not come earlier. */
    KERR_BAD_BINDING = 14,
    KERR_OVER_LIMITS = 15,     /* The workflow is larger than the kernel's limits. */
    KERR_BAD_EVENT = 16,       /* A field of the event's slot is invalid. */
    KERR_OVERLOADED = 17,      /* The workflow has no room for more waiting events. */
    KERR_CANCELLED = 18,       /* The event was cancelled before it could finish. */
    KERR_DEADLINE_PASSED = 19, /* The event's deadline passed before it could finish. */
    KERR_DECK_FAULT = 20,      /* The deck that held the event, or its output, died. */
    /* The deck has been given up after too many restarts, or never started. */
    KERR_DECK_DOWN = 21,
    KERR_DECK_BROKE_RULES = 22, /* The deck answered what it may not; it was restarted. */
    /* The output does not fit the room that the workflow has for it. */
    KERR_OUTPUT_TOO_LARGE = 23,
    /*
     * What came in, or was asked for, is larger than the operation can take, however much room
     * there is.
     */
    KERR_TOO_LARGE = 24,
    KERR_OUT_OF_SCRATCH = 25,  /* The operation ran out of its deck's private memory. */
    KERR_NOT_A_JPEG = 26,      /* The bytes are not a JPEG picture that can be decoded. */
    KERR_BAD_PICTURE = 27,     /* The picture's size, channels or pixel count do not agree. */
    KERR_CORRUPT_DATA = 28,    /* The compressed data is damaged. */
    KERR_NOT_AUTHENTIC = 29,   /* The sealed data was changed, or the key is wrong. */
    KERR_BAD_KEY = 30,         /* The key does not have the length that the cipher needs. */
    KERR_NO_SUCH_FILE = 31,    /* There is no such file or directory. */
    KERR_EXISTS = 32,          /* It exists already. */
    KERR_NOT_A_DIRECTORY = 33, /* A part of the path is no directory. */
    KERR_IS_A_DIRECTORY = 34,  /* The path names a directory. */
    KERR_NOT_EMPTY = 35,       /* The directory is not empty. */
    KERR_NO_SPACE = 36,        /* The disk is full. */
    KERR_NAME_TOO_LONG = 37,   /* A name in the path is longer than the file system allows. */
    /* The path is empty, not absolute, or holds a NUL, "." or "..". */
    KERR_BAD_PATH = 38,
    KERR_IO_ERROR = 39,           /* The device reported an error. */
    KERR_CORRUPT_FILESYSTEM = 40, /* The file system's own records contradict each other. */
    /* The device or file system asks for a feature that this driver does not have. */
    KERR_NOT_SUPPORTED = 41,
    KERR_DEVICE_GONE = 42,    /* The device's other side does not answer any more. */
    KERR_DEVICE_TIMEOUT = 43, /* The device did not answer this request in time. */
    KERR_DEVICE_REFUSED = 44, /* The device refused the request as malformed. */
    KERR_NO_DEVICE = 45,      /* The deck found no such device. */
    /* The loop's condition did not hold after as many rounds as it may take. */
    KERR_BOUND_REACHED = 46,
    /* The bytes are no whole number of samples of this format, or there are too few of them. */
    KERR_BAD_SAMPLES = 47,
    /* The state is not one that the operation before it could have left. */
    KERR_BAD_STATE = 48,
    KERR_NETWORK_DOWN = 49,       /* The card has no link, or there is no address to send from. */
    KERR_CONNECTION_REFUSED = 50, /* Nobody takes connections at that address and port. */
    /* The other side, or a time that ran out without an answer from it, ended the connection. */
    KERR_CONNECTION_RESET = 51,
    KERR_CONNECTION_CLOSED = 52, /* The connection was closed. */
    KERR_UNREACHABLE = 53,       /* No way leads to that address, or nobody answers there. */
    KERR_PORT_IN_USE = 54,       /* The port is another workflow's. */
    KERR_BAD_NAME = 55,          /* The name is empty or longer than names of hosts are. */
    KERR_NO_SUCH_NAME = 56,      /* No address of that name is known, or no name server answers. */
    KERR_BAD_REQUEST = 57,       /* The bytes are no request as http_receive leaves it. */
    KERR_BAD_RESPONSE = 58,      /* The response is not HTTP, or contradicts itself. */
    /*
     * The output needs more room than was kept for it. Between decks and nucleus only, no event
     * ends with it.
     */
    KERR_NEED_ROOM = 59,
};

#define KERR_COUNT 60u

/* "NOT_A_JPEG"; "UNKNOWN" for a number that is no code. Static text, any context. */
const char *kerr_name(enum kerr code);
/* One sentence for people, with its full stop. Static text, any context. */
const char *kerr_sentence(enum kerr code);
