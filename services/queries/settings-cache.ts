import type { Logger } from 'pino';
import { globalChannel } from '../../contracts/push/index.ts';
import { defaultSettings, type Settings } from '../../contracts/settings.ts';
import type { Bus } from '../bus/bus.ts';
import { readSettings } from './settings.ts';
import type { ReadDatabase } from './tables.ts';

/** The settings are read this often too, in case the bus lost a change. */
const defaultRefreshMs = 5_000;

export interface SettingsCacheOptions {
  readonly database: ReadDatabase;
  readonly bus: Pick<Bus, 'onChannel' | 'onInterruption'>;
  readonly logger: Logger;
  readonly refreshMs?: number;
}

/** The settings in the memory of a process that does not have the log. They are read again when they change. */
export class SettingsCache {
  readonly #options: SettingsCacheOptions;
  readonly #stops: readonly (() => void)[];
  #settings: Settings = defaultSettings;
  #reading = false;
  #readAgain = false;

  private constructor(options: SettingsCacheOptions) {
    const { bus, refreshMs = defaultRefreshMs } = options;
    this.#options = options;
    const refreshes = setInterval(() => this.#refresh(), refreshMs).unref();
    this.#stops = [
      bus.onChannel(globalChannel, () => this.#refresh()),
      bus.onInterruption(() => this.#refresh()),
      () => clearInterval(refreshes),
    ];
  }

  /** Reads the settings, and follows their changes. @throws what the database throws. */
  static async open(options: SettingsCacheOptions): Promise<SettingsCache> {
    const cache = new SettingsCache(options);
    try {
      await cache.#read();
      return cache;
    } catch (error) {
      cache.stop();
      throw error;
    }
  }

  get settings(): Settings {
    return this.#settings;
  }

  /** Stops following. */
  stop(): void {
    for (const stop of this.#stops) stop();
  }

  #refresh(): void {
    if (this.#reading) {
      this.#readAgain = true;
      return;
    }
    this.#read().catch((error) => {
      this.#options.logger.warn({ err: error }, 'the settings could not be read; the last ones stay in use');
    });
  }

  async #read(): Promise<void> {
    this.#reading = true;
    try {
      do {
        this.#readAgain = false;
        this.#settings = await readSettings(this.#options.database);
      } while (this.#readAgain);
    } finally {
      this.#reading = false;
    }
  }
}
