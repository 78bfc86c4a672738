/** What a code is for. One asked for one purpose serves no other. */
export type SmsPurpose = 'register' | 'forget' | 'retrieve' | 'bind';

/** The port to whoever carries codes to phones. */
export interface SmsProvider {
  /**
   * Whether it is done in milliseconds, beyond doubt. Then an answer waits for it; where it goes over
   * the net, the time it takes would tell who asks whether a phone is known.
   */
  readonly local: boolean;
  /**
   * Sends a code.
   * @throws SmsNotSent where it was refused; another Error where it may yet arrive. Their messages hold
   * neither phone nor code
   */
  send(phone: string, type: SmsPurpose, code: string): Promise<void>;
}

/** The provider refused to send: nothing will arrive. */
export class SmsNotSent extends Error {
  override readonly name = 'SmsNotSent';
  /** Whether the phone got as many as the provider lets it have. */
  readonly tooOften: boolean;

  constructor(message: string, tooOften: boolean) {
    super(message);
    this.tooOften = tooOften;
  }
}
