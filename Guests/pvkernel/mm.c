/* Memory: pages above the kernel, handed out in order, and the demand-zero store of user processes. */
#include "kernel.h"

volatile unsigned long tlb_misses;
unsigned long page_faults;
static unsigned long next_page = FREE_PHYSICAL;

/* A zeroed page, through region 7; its physical address is the low 61 bits. */
void *page_alloc(void) {
  if (next_page + PAGE_SIZE > ia64_boot_param->memory_size) panic("out of memory at", next_page);
  void *page = cached(next_page);
  next_page += PAGE_SIZE;
  memset(page, 0, PAGE_SIZE);
  return page;
}

/* Gives the current task a page of its store (region 3: memory stack and backing store). Returns 0 where the address
 * is nothing that a task may have, or is mapped already and was refused for another reason. */
int handle_page_fault(unsigned long address) {
  unsigned long page = (address & ((1UL << 61) - 1)) >> PAGE_SHIFT;
  unsigned long *pte = &current->pte[USER_PAGES + page];
  if (address >> 61 != USER_STORE >> 61 || page >= USER_PAGES || (*pte & PTE_P)) return 0;
  *pte = ((unsigned long)page_alloc() & PTE_PPN_MASK) | PAGE_USER;
  current->page_faults++;
  page_faults++;
  return 1;
}
