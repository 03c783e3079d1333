// The newest release. It trains no more: files, models and classifications remain.
import * as errors from "@mistralai/mistralai/models/errors";

export { Mistral } from "@mistralai/mistralai";
export { HTTPClient } from "@mistralai/mistralai/lib/http.js";
export { startCountingUnrecognized } from "@mistralai/mistralai/types/unrecognized.js";
export { errors };

export const chatRequest = (model, conversations) => ({ model, input: conversations });
export const modelUpdate = (modelId, update) => ({ modelId, updateModelRequest: update });
