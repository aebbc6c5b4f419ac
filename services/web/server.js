// Requests to the service that sent this page, with errors in words.

const UNREACHABLE = "The service cannot be reached. Is it still running?";

async function send(path, options) {
  let response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    throw error.name === "AbortError" ? error : new Error(UNREACHABLE);
  }
  if (response.ok) return response;
  const body = await response.json().catch(() => null); // a proxy in front answers in its own way
  throw new Error(body?.error?.message ?? `The service answered ${response.status} ${response.statusText}`.trim() + ".");
}

// The names that can be asked for, the default first.
export async function listModels() {
  const body = await (await send("v1/models")).json();
  return body.data.map((model) => model.id);
}

// What is still loading, by name.
export async function listLoading() {
  const response = await fetch("readyz").catch(() => null);
  const body = await response?.json().catch(() => null);
  return body?.waiting_for ?? [];
}

// Resolves to the answer; `tell` hears of each stage of the work.
export async function askQuestion({ files, question, choices, model, explain }, tell, signal) {
  const form = new FormData();
  for (const file of files) form.append("file", file, file.name);
  form.append("question", question);
  for (const choice of choices) form.append("choices", choice);
  form.append("model", model);
  form.append("stream", "true");
  if (explain) form.append("explain", "true");
  const response = await send("v1/audio/questions", { method: "POST", body: form, signal });
  for await (const event of readEvents(response.body)) {
    if (event.type === "answer") return event.answer;
    if (event.type === "error") throw new Error(event.error.message);
    tell(event);
  }
  throw new Error("The service ended the connection before its answer. Is it still running?");
}

async function* readEvents(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let left = "";
  for (;;) {
    const { done, value } = await reader.read().catch((error) => {
      throw error.name === "AbortError" ? error : new Error(UNREACHABLE);
    });
    if (done) return;
    const events = (left + value).split("\n\n");
    left = events.pop();
    for (const event of events) yield JSON.parse(event.slice("data: ".length));
  }
}

// Resolves to statements on all that is heard and said in a recording.
export async function describe(file, signal) {
  const [told, said] = await Promise.all([post("v1/audio/descriptions", { response_format: "json" }), post("v1/audio/transcriptions", { response_format: "verbose_json" })]);
  const words = said.segments.map(({ start, end, text, avg_logprob: logprob }) => ({
    kind: "transcript",
    source: "speech recognition",
    text,
    labels: [],
    start_s: start,
    end_s: end,
    confidence: logprob === null ? null : Math.exp(logprob),
    use: null,
  }));
  return [...told.evidence, ...words];

  async function post(path, fields) {
    const form = new FormData();
    form.append("file", file, file.name);
    for (const [name, value] of Object.entries(fields)) form.append(name, value);
    return (await send(path, { method: "POST", body: form, signal })).json();
  }
}
