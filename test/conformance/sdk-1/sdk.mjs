// The last release of the first line. It throws on an answer that is not as documented.
import * as errors from "@mistralai/mistralai/models/errors/index.js";

export { Mistral } from "@mistralai/mistralai";
export { HTTPClient } from "@mistralai/mistralai/lib/http.js";
export { startCountingUnrecognized } from "@mistralai/mistralai/types/unrecognized.js";
export { errors };

export const chatRequest = (model, conversations) => ({ model, inputs: conversations });
export const modelUpdate = (modelId, update) => ({ modelId, updateFTModelIn: update });
