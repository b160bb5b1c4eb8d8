// Questions to the server. Addresses are relative to the page's, which has a secret part.

export class Refused extends Error {}

async function answer(path, parameters, read) {
  const query = new URLSearchParams(parameters ?? {}).toString();
  let found, content;
  try {
    found = await fetch(query ? `${path}?${query}` : path);
    content = await (found.ok ? read(found) : found.text());
  } catch {
    throw new Refused("the command has ended; start it again");
  }
  if (found.ok) return content;
  try {
    throw new Refused(JSON.parse(content).error);
  } catch (error) {
    throw error instanceof Refused ? error : new Refused(content.slice(0, 300));
  }
}

export function json(path, parameters) {
  return answer(path, parameters, (found) => found.json());
}

export async function float32(path, parameters) {
  return new Float32Array(await answer(path, parameters, (found) => found.arrayBuffer()));
}

export async function float64(path, parameters) {
  return new Float64Array(await answer(path, parameters, (found) => found.arrayBuffer()));
}

export function address(path, parameters) {
  return `${path}?${new URLSearchParams(parameters)}`;
}
