/** What a code is for. It is valid for this purpose only. */
export type SmsPurpose = 'register' | 'forget' | 'retrieve' | 'bind';

/** The port to a service that sends codes to phones. */
export interface SmsProvider {
  /**
   * Whether sending takes milliseconds and cannot fail. Then answers wait for it; over a network, the time that it
   * takes would reveal whether a phone is known.
   */
  readonly local: boolean;
  /**
   * Sends a code.
   * @throws SmsNotSent if it was refused; another Error if it may still arrive. Their messages contain neither phone
   * nor code
   */
  send(phone: string, type: SmsPurpose, code: string): Promise<void>;
}

/** The provider refused to send: nothing will arrive. */
export class SmsNotSent extends Error {
  override readonly name = 'SmsNotSent';
  /** Whether the phone has reached the provider's limit. */
  readonly tooOften: boolean;

  constructor(message: string, tooOften: boolean) {
    super(message);
    this.tooOften = tooOften;
  }
}
