/* thread.c - a ring-3 thread's beginning, and where it stood when it ended. */
#include "kernel/nucleus/sched/thread.h"

#include "kernel/lib/fmt.h"
#include "kernel/nucleus/log.h"
#include "kernel/nucleus/nucleus.h"
#include "kernel/nucleus/program/elf.h"

#define STACK_BYTES   (256u << 10)
#define BACKTRACE_MAX 16

bool thread_load(struct nucleus *nucleus, struct thread *thread, struct space *space,
                 const char *kind, const char *name)
{
    const char *const arguments[] = { name, NULL };
    struct elf_image image;
    struct elf_loaded loaded;
    const void *file;
    uint64_t file_bytes;
    vaddr_t stack;

    if (!payload_find(&nucleus->payload, kind, name, &file, &file_bytes)) {
        log_line(thread->name, "there is no %s/%s in the payload", kind, name);
        return false;
    }
    const char *wrong = elf_check(file, file_bytes, &image);
    if (wrong == NULL) {
        wrong = elf_map(&image, space, &loaded);
    }
    if (wrong == NULL) {
        wrong = elf_build_stack(space, &loaded, STACK_BYTES, arguments, NULL, &stack);
    }
    if (wrong != NULL) {
        log_line(thread->name, "%s/%s cannot be loaded: %s", kind, name, wrong);
        return false;
    }
    thread->space = space;
    thread->image_bias = loaded.bias;
    port_context_init(&thread->context, loaded.entry, stack);
    thread->linux_calls = (struct linux_caller){
        .space = space, .who = thread->name, .context = &thread->context, .thread_id = 1
    };
    return true;
}

void thread_log_backtrace(struct thread *thread, const char *kind, const char *name)
{
    uint64_t addresses[BACKTRACE_MAX];
    char image[64];
    size_t count = 0;
    uint64_t frame = port_context_frame_pointer(&thread->context);

    addresses[count++] = port_context_pc(&thread->context) - thread->image_bias;
    while (count < BACKTRACE_MAX) {
        uint64_t link[2]; /* the caller's frame pointer, the return address */
        if (frame == 0 ||
            space_copy_in(thread->space, link, (uaddr_t){ frame }, sizeof(link)) != KERR_OK) {
            break;
        }
        addresses[count++] = link[1] - thread->image_bias;
        if (link[0] <= frame) {
            break; /* frames lie towards higher addresses, else this is no chain */
        }
        frame = link[0];
    }
    fmt_print(image, sizeof(image), "%s/%s", kind, name);
    log_backtrace(thread->name, image, addresses, count);
}
