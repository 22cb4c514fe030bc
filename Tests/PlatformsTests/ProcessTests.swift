// The suites that make guest processes run one after another: each process reserves windows of 2^44 bytes, and the host
// has address space for few of them at a time.
import Testing

@Suite(.serialized) enum ProcessTests {}
