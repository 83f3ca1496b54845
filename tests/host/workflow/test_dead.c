/* Stages that nobody misses: found wherever they stand, and nothing else is. */
// uses: kernel/nucleus/workflow/dead.c
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "kernel/nucleus/workflow/dead.h"

#define MOST 8u

static const struct op_spec pure = { .name = "pure", .traits = OP_TRAIT_PURE };
static const struct op_spec effect = { .name = "effect", .traits = OP_TRAIT_EFFECT };
static const struct op_spec sees = { .name = "sees" }; /* says nothing of itself: may do anything */

/* A plan as check.c leaves it, as far as dead_drop() reads it. */
static struct {
    struct plan plan;
    struct kwe_workflow header;
    struct plan_stage stage[MOST];
    struct kwe_dependency dependency[MOST * 2];
    struct kwe_binding binding[MOST];
    struct kwe_condition condition[MOST];
    uint16_t dependencies, bindings, conditions;
} made;

static void begin(void)
{
    memset(&made, 0, sizeof(made));
    made.header.result_stage = KWE_NO_STAGE;
    made.plan.header = &made.header;
    made.plan.stages = made.stage;
    made.plan.dependencies = made.dependency;
    made.plan.bindings = made.binding;
    made.plan.conditions = made.condition;
}

/* NULL: a loop, whose body are the next `body` stages. */
static struct plan_stage *add(const struct op_spec *op, uint16_t body)
{
    const uint16_t index = (uint16_t)made.plan.stage_count++;
    struct plan_stage *stage = &made.stage[index];

    stage->op = op;
    stage->dependency_first = made.dependencies;
    stage->binding_first = made.bindings;
    stage->condition_first = made.conditions;
    if (op == NULL) {
        stage->loop = (uint8_t)made.plan.loop_count++;
        made.plan.loops[stage->loop] = (struct plan_loop){ .stage = index,
                                                           .body_first = (uint16_t)(index + 1u),
                                                           .body_count = body };
    }
    return stage;
}

static struct plan_stage *add_in_body(const struct op_spec *op)
{
    struct plan_stage *stage = add(op, 0);

    stage->is_body = true;
    stage->loop = (uint8_t)(made.plan.loop_count - 1u);
    return stage;
}

static void waits(struct plan_stage *stage, uint16_t before)
{
    made.dependency[made.dependencies++] = (struct kwe_dependency){ .stage = before };
    stage->dependency_count++;
}

static void takes(struct plan_stage *stage, enum kwe_binding_kind kind, uint16_t source)
{
    made.binding[made.bindings++] = (struct kwe_binding){ .kind = (uint8_t)kind, .stage = source };
    stage->binding_count++;
}

static void asks(struct plan_stage *stage, uint16_t source)
{
    made.condition[made.conditions++] = (struct kwe_condition){ .stage = source };
    stage->condition_count++;
}

/* Bit set of those that do not run. */
static void check_dropped(uint64_t expected)
{
    uint64_t dropped = 0;

    dead_drop(&made.plan);
    for (uint32_t i = 0; i < made.plan.stage_count; i++) {
        dropped |= made.stage[i].is_dropped ? 1ull << i : 0;
    }
    if (dropped != expected) {
        fprintf(stderr, "dropped %llx, not %llx\n", (unsigned long long)dropped,
                (unsigned long long)expected);
    }
    assert(dropped == expected);
}

static void test_a_chain_that_nobody_uses_is_dropped_and_an_effect_stays(void)
{
    begin();
    add(&effect, 0);
    waits(add(&pure, 0), 0);
    waits(add(&pure, 0), 1);
    add(&sees, 0);

    check_dropped(2 + 4);
}

static void test_the_result_and_all_before_it_stay(void)
{
    begin();
    add(&pure, 0);
    waits(add(&pure, 0), 0);
    waits(add(&pure, 0), 0);
    made.header.result_stage = 1;

    check_dropped(4);
}

static void test_where_nothing_would_be_left_all_runs(void)
{
    begin();
    add(NULL, 1);
    add_in_body(&pure);
    waits(add(&pure, 0), 0);

    check_dropped(0);
    assert(made.plan.loops[0].body_runs == 1);
}

static void test_in_a_body_what_nobody_uses_is_dropped_and_the_rest_stays(void)
{
    begin();
    add(NULL, 3);
    add_in_body(&pure);
    waits(add_in_body(&effect), 1);
    waits(add_in_body(&pure), 1);

    check_dropped(8);
    assert(made.plan.loops[0].body_runs == 2);
}

static void test_what_only_feeds_its_own_next_part_is_dead(void)
{
    begin();
    add(NULL, 2);
    takes(add_in_body(&pure), KWE_BIND_INPUT_PREVIOUS, 1);
    add_in_body(&effect);

    check_dropped(2);
}

static void test_a_later_stage_that_a_living_one_looks_back_at_lives(void)
{
    begin();
    add(NULL, 2);
    takes(add_in_body(&effect), KWE_BIND_PARAM_PREVIOUS, 2);
    add_in_body(&pure);

    check_dropped(0);
}

static void test_what_ends_a_loop_lives_with_it(void)
{
    begin();
    asks(add(NULL, 3), 2);
    add_in_body(&pure);
    waits(add_in_body(&pure), 1);
    waits(add_in_body(&pure), 1);
    waits(add(&effect, 0), 0);

    check_dropped(8);
}

static void test_a_body_that_is_only_counted_is_dropped_and_its_loop_is_not(void)
{
    begin();
    add(NULL, 2);
    add_in_body(&pure);
    add_in_body(&pure);
    struct plan_stage *behind = add(&effect, 0);
    waits(behind, 0);
    takes(behind, KWE_BIND_PARAM_VALUE, 0);

    check_dropped(2 + 4);
    assert(made.plan.loops[0].body_runs == 0);
}

static void test_what_the_last_part_leaves_to_a_living_stage_lives(void)
{
    begin();
    add(NULL, 2);
    add_in_body(&pure);
    add_in_body(&pure);
    struct plan_stage *behind = add(&effect, 0);
    waits(behind, 0);
    takes(behind, KWE_BIND_INPUT_STAGE, 2);

    check_dropped(2);
}

static void test_a_loop_that_nobody_uses_is_dropped_with_all_that_fed_it(void)
{
    begin();
    add(&pure, 0);
    struct plan_stage *loop = add(NULL, 1);
    waits(loop, 0);
    asks(loop, 2);
    add_in_body(&pure);
    add(&effect, 0);

    check_dropped(1 + 2 + 4);
}

static void test_bindings_that_name_no_stage_keep_none_alive(void)
{
    begin();
    add(&pure, 0);
    takes(add(&effect, 0), KWE_BIND_INPUT_EVENT, 0);
    add(NULL, 1);
    takes(add_in_body(&effect), KWE_BIND_PARAM_PART, 0);

    check_dropped(1);
}

int main(void)
{
    test_a_chain_that_nobody_uses_is_dropped_and_an_effect_stays();
    test_the_result_and_all_before_it_stay();
    test_where_nothing_would_be_left_all_runs();
    test_in_a_body_what_nobody_uses_is_dropped_and_the_rest_stays();
    test_what_only_feeds_its_own_next_part_is_dead();
    test_a_later_stage_that_a_living_one_looks_back_at_lives();
    test_what_ends_a_loop_lives_with_it();
    test_a_body_that_is_only_counted_is_dropped_and_its_loop_is_not();
    test_what_the_last_part_leaves_to_a_living_stage_lives();
    test_a_loop_that_nobody_uses_is_dropped_with_all_that_fed_it();
    test_bindings_that_name_no_stage_keep_none_alive();
    return 0;
}
