// A place for the interpreter's opcode table that costs one load to reach: a lazily initialized Swift global costs a
// call at each use, a variable an exclusivity check.
#pragma once

#ifdef __cplusplus
extern "C" {
#endif

extern void *_Nullable kt_recipe_table;

static inline void *_Nullable kt_recipes(void) { return kt_recipe_table; }
static inline void kt_set_recipes(void *_Nonnull table) { kt_recipe_table = table; }

#ifdef __cplusplus
}
#endif
