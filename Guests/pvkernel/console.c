/* The console (a 16550), the command line and the power switch. */
#include "kernel.h"

#define UART_THR 0
#define UART_LSR 5
#define LSR_THRE 0x20

int quiet;

static void put_char(char c) {
  volatile unsigned char *uart = device(UART_BASE);
  while (!(uart[UART_LSR] & LSR_THRE)) {}
  uart[UART_THR] = (unsigned char)c;
}

void console_put(const char *text, unsigned long length) {
  for (unsigned long i = 0; i < length; i++) put_char(text[i]);
}

void put_string(const char *text) {
  for (; *text; text++) put_char(*text);
}

/* By subtraction: printing must work where multiplication and division (floating-point units) do not yet. */
void put_decimal(unsigned long value) {
  static const unsigned long powers[] = {
      10000000000000000000UL, 1000000000000000000UL, 100000000000000000UL, 10000000000000000UL, 1000000000000000UL,
      100000000000000UL, 10000000000000UL, 1000000000000UL, 100000000000UL, 10000000000UL, 1000000000UL, 100000000UL,
      10000000UL, 1000000UL, 100000UL, 10000UL, 1000UL, 100UL, 10UL, 1UL};
  int started = 0;
  for (unsigned long i = 0; i < ARRAY_SIZE(powers); i++) {
    char digit = '0';
    while (value >= powers[i]) value -= powers[i], digit++;
    if (digit != '0' || started || powers[i] == 1) put_char(digit), started = 1;
  }
}

void put_hex(unsigned long value) {
  int shift = 60;
  put_string("0x");
  while (shift > 0 && !(value >> shift)) shift -= 4;
  for (; shift >= 0; shift -= 4) put_char("0123456789abcdef"[(value >> shift) & 15]);
}

void say(const char *text) {
  if (quiet) return;
  put_string(text);
  put_char('\n');
}

void say_number(const char *text, unsigned long value) {
  if (quiet) return;
  put_string(text);
  put_decimal(value);
  put_char('\n');
}

void power_off(unsigned long status) {
  *(volatile unsigned long *)device(POWER_SWITCH) = status & 0xff;
  for (;;) {}
}

void panic(const char *what, unsigned long value) {
  put_string("panic: ");
  put_string(what);
  put_string(" ");
  put_hex(value);
  put_string("\n");
  power_off(1);
}

static const char *command_line(void) {
  return ia64_boot_param->command_line ? cached(ia64_boot_param->command_line) : "";
}

/* The rest of the command line behind `name` where it starts a word, or NULL. */
static const char *find_word(const char *name) {
  const char *p = command_line();
  while (*p) {
    const char *n = name, *q = p;
    while (*n && *n == *q) n++, q++;
    if (!*n) return q;
    while (*p && *p != ' ') p++;
    while (*p == ' ') p++;
  }
  return NULL;
}

int command_word(const char *word) {
  const char *rest = find_word(word);
  return rest && (*rest == 0 || *rest == ' ');
}

/* The decimal number behind "name=", or `otherwise`. */
unsigned long command_number(const char *name, unsigned long otherwise) {
  const char *rest = find_word(name);
  unsigned long value = 0;
  if (!rest || *rest++ != '=' || *rest < '0' || *rest > '9') return otherwise;
  for (; *rest >= '0' && *rest <= '9'; rest++) value = (value << 3) + (value << 1) + (unsigned long)(*rest - '0');
  return value;
}

int command_names(const char *name, const char *value) {
  const char *p = command_line();
  while (*p) {
    const char *n = name, *v = value;
    while (*n && *n == *p) n++, p++;
    if (!*n && *p == '=') {
      p++;
      while (*v && *v == *p) v++, p++;
      if (!*v && (*p == 0 || *p == ' ')) return 1;
    }
    while (*p && *p != ' ') p++;
    while (*p == ' ') p++;
  }
  return 0;
}

int command_has(const char *name) {
  const char *rest = find_word(name);
  return rest && *rest == '=';
}
