/* host_calls.c - calls that reach the host: fw_cfg files and the serial control channel. */
#include "kernel/lib/fmt.h"
#include "kernel/nucleus/nucleus.h"
#include "kernel/nucleus/syscall/syscall.h"

#define FILE_NAME_MAX 48
#define CHUNK_BYTES   2048u

void syscall_boot_file(struct syscall *call)
{
    struct space *space = call->thread->space;
    char short_name[FILE_NAME_MAX];
    char name[FILE_NAME_MAX + 16];
    uint8_t chunk[CHUNK_BYTES];
    uint64_t offset = call->argument[1];
    uint64_t to = call->argument[2];
    uint64_t wanted = call->argument[3];

    if (space_copy_in_string(space, short_name, sizeof(short_name),
                             (uaddr_t){ call->argument[0] }) != KERR_OK) {
        syscall_refuse(call->thread, KERR_BAD_ADDRESS);
        return;
    }
    fmt_print(name, sizeof(name), "opt/kwe/%s", short_name);
    uint64_t size = port_firmware_file_size(name);
    if (wanted == 0) {
        syscall_answer(call->thread, (int64_t)size);
        return;
    }
    if (offset > size) {
        syscall_refuse(call->thread, KERR_BAD_CALL);
        return;
    }
    if (wanted > size - offset) {
        wanted = size - offset;
    }
    for (uint64_t done = 0; done < wanted;) {
        uint64_t bytes = wanted - done < CHUNK_BYTES ? wanted - done : CHUNK_BYTES;
        if (!port_firmware_file_read(name, offset + done, chunk, bytes)) {
            syscall_refuse(call->thread, KERR_IO_ERROR);
            return;
        }
        if (space_copy_out(space, (uaddr_t){ to + done }, chunk, bytes) != KERR_OK) {
            syscall_refuse(call->thread, KERR_BAD_ADDRESS);
            return;
        }
        done += bytes;
    }
    syscall_answer(call->thread, (int64_t)wanted);
}

/* A serial port is slow: one call takes one chunk, and the lock is not held meanwhile. To all others the caller still runs. */
void syscall_control_write(struct syscall *call)
{
    uint8_t chunk[CHUNK_BYTES];
    uint64_t bytes = call->argument[1] < CHUNK_BYTES ? call->argument[1] : CHUNK_BYTES;

    if (space_copy_in(call->thread->space, chunk, (uaddr_t){ call->argument[0] }, bytes) !=
        KERR_OK) {
        syscall_refuse(call->thread, KERR_BAD_ADDRESS);
        return;
    }
    port_lock_release(&call->nucleus->lock);
    port_control_write(chunk, bytes);
    port_lock_acquire(&call->nucleus->lock);
    syscall_answer(call->thread, (int64_t)bytes);
}

/* Answer with what lies there. False: nothing does, and there is time left. wait_argument: address, room, deadline. */
static bool answer_control_read(struct thread *thread)
{
    uint8_t chunk[CHUNK_BYTES];
    uint64_t room = thread->wait_argument[1];
    size_t got = port_control_read(chunk, room < CHUNK_BYTES ? room : CHUNK_BYTES);

    if (got == 0 && port_now_ns() < thread->wait_argument[2]) {
        return false;
    }
    if (space_copy_out(thread->space, (uaddr_t){ thread->wait_argument[0] }, chunk, got) !=
        KERR_OK) {
        syscall_refuse(thread, KERR_BAD_ADDRESS);
    } else {
        syscall_answer(thread, (int64_t)got);
    }
    return true;
}

static bool control_read_resume(struct cpu *cpu, struct thread *thread)
{
    cpu_lock_idle(cpu);
    bool answered = answer_control_read(thread);
    port_lock_release(&cpu->nucleus->lock);
    return answered;
}

void syscall_control_read(struct syscall *call)
{
    struct thread *thread = call->thread;
    uint64_t now_ns = port_now_ns();
    uint64_t timeout_ns = call->argument[2];

    thread->wait_argument[0] = call->argument[0];
    thread->wait_argument[1] = call->argument[1];
    thread->wait_argument[2] = timeout_ns > UINT64_MAX - now_ns ? UINT64_MAX : now_ns + timeout_ns;
    if (!answer_control_read(thread)) {
        sched_sleep(call->nucleus, thread, control_read_resume, thread->wait_argument[2]);
    }
}

void syscall_control_arrived(struct nucleus *nucleus)
{
    for (unsigned i = 0; i < MAX_PROGRAMS; i++) {
        struct program *program = nucleus->program[i];
        /* One that runs may be just about to sleep for them. */
        if (program != NULL && (program->thread->resume == control_read_resume ||
                                program->thread->state == THREAD_RUNNING)) {
            sched_ready(nucleus, program->thread);
        }
    }
}
