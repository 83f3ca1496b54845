/*
 * tso.h - x86-TSO for spin: each CPU's stores go through a first-in-first-out buffer of its own (Sewell et al., x86-TSO). A load sees the CPU's
 * own newest buffered store, else memory; a fence (also a locked instruction) waits until the buffer is empty.
 * A model defines CPUS, VARIABLES and names for its variables, 0 to VARIABLES - 1, and runs one drain() for each CPU.
 */
#define BUFFER 3

byte memory[VARIABLES];
chan buffer[CPUS] = [BUFFER] of { byte, byte };
byte pending[CPUS * VARIABLES]; /* stores in the buffer */
byte newest[CPUS * VARIABLES];  /* the last of them */

inline store(cpu, variable, value)
{
    atomic {
        nfull(buffer[cpu]);
        newest[cpu * VARIABLES + variable] = value;
        pending[cpu * VARIABLES + variable]++;
        buffer[cpu]!variable, value;
    }
}

#define LOAD(cpu, variable)                                                                        \
    (pending[(cpu) * VARIABLES + (variable)] > 0 -> newest[(cpu) * VARIABLES + (variable)] :       \
                                                    memory[variable])

inline fence(cpu)
{
    empty(buffer[cpu]);
}

/* A locked exchange of a lock word: 0 to 1, atomically, with nothing buffered. */
inline acquire(cpu, variable)
{
    atomic {
        (empty(buffer[cpu]) && memory[variable] == 0);
        memory[variable] = 1;
    }
}

proctype drain(byte cpu)
{
    byte variable, value;
end:
    do
    :: atomic {
           buffer[cpu]?variable, value;
           memory[variable] = value;
           pending[cpu * VARIABLES + variable]--;
           variable = 0;
           value = 0;
       }
    od
}
