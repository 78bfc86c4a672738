import type { AtEnd } from './at-end.ts';
import { EventStoreDBDouble } from './eventstoredb-double.ts';
import { DoubleStore } from './eventstoredb-double-store.ts';

/** Doubles of three nodes of a cluster, one of which may lead. What one stores all have at once. */
export class DoubleCluster {
  readonly store = new DoubleStore();
  readonly nodes: readonly EventStoreDBDouble[];
  readonly #alive: Set<EventStoreDBDouble>;
  #leader: EventStoreDBDouble | undefined;

  private constructor() {
    this.nodes = [1, 2, 3].map(() => new EventStoreDBDouble(undefined, this.store));
    this.#alive = new Set(this.nodes);
    const members = () => [...this.#alive].map((node) => ({ port: node.port, leads: node === this.#leader }));
    for (const node of this.nodes) node.members = members;
  }

  /** Starts three nodes, the last of which leads; they are gone at the end. */
  static async start(atEnd: AtEnd): Promise<DoubleCluster> {
    const cluster = new DoubleCluster();
    for (const node of cluster.nodes) {
      await node.start();
      atEnd(() => node.kill());
    }
    cluster.elect(2);
    return cluster;
  }

  /** Names all nodes. */
  get url(): string {
    return `esdb+discover://${this.nodes.map(({ port }) => `127.0.0.1:${port}`).join(',')}?tls=false`;
  }

  /** A node that is alive leads from now on; undefined: none does. */
  elect(number: number | undefined): void {
    this.#leader = number === undefined ? undefined : this.nodes[number];
  }

  /** Cuts a node off the others, but not off its clients. If it led, nobody does until one is elected. */
  isolate(number: number): void {
    const node = this.#leave(number);
    node.isolated = true;
    node.members = () => [];
  }

  /** Breaks all connections of a node, which answers no more. If it led, nobody does until one is elected. */
  kill(number: number): void {
    this.#leave(number).kill();
  }

  #leave(number: number): EventStoreDBDouble {
    const node = this.nodes[number];
    if (node === undefined) throw new RangeError(`there is no node ${number}`);
    this.#alive.delete(node);
    if (this.#leader === node) this.#leader = undefined;
    return node;
  }
}
