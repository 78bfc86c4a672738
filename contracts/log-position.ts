/** Either log writes positions as digits of one width, so that they compare as texts; no time is written like that. */
export const logPositionForm = /^[\d-]{16,40}$/;
