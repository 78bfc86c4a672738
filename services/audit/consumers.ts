import type { IndexConsumer } from './index/consumer.ts';
import { treeConsumer } from './tree/tree-consumer.ts';

/** What is made of the log together with its index, in this order. */
export const auditConsumers: readonly IndexConsumer[] = [treeConsumer];
