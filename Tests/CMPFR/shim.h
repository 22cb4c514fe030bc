// MPFR, for the floating-point tests only.
#include <mpfr.h>
