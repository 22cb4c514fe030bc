// The storage behind kittson_recipes.h.
#include "kittson_recipes.h"

void *kt_recipe_table;
