/** A server that speaks S3 and checks signatures, written by others; it has no types. */
declare module '@20minutes/s3rver' {
  export default class S3rver {
    constructor(options: {
      readonly directory: string;
      readonly address: string;
      readonly port: number;
      readonly silent: boolean;
      readonly allowMismatchedSignatures: boolean;
      readonly configureBuckets: readonly { readonly name: string }[];
    });
    /** Listens. */
    run(): Promise<{ readonly port: number }>;
    close(): Promise<void>;
  }
}
