// The last release that trains. It hides an answer that is not as documented behind isUnknown.
import * as errors from "@mistralai/mistralai/models/errors";

export { Mistral } from "@mistralai/mistralai";
export { HTTPClient } from "@mistralai/mistralai/lib/http.js";
export { startCountingUnrecognized } from "@mistralai/mistralai/types/unrecognized.js";
export { errors };

export const chatRequest = (model, conversations) => ({ model, input: conversations });
export const modelUpdate = (modelId, update) => ({ modelId, updateModelRequest: update });
