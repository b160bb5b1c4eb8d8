// Questions to the server. Addresses are relative to the page's, which has a secret part.

export class Refused extends Error {}

async function answer(path, parameters) {
  const query = new URLSearchParams(parameters ?? {}).toString();
  let found;
  try {
    found = await fetch(query ? `${path}?${query}` : path);
  } catch {
    throw new Refused("the command has ended; start it again");
  }
  if (found.ok) return found;
  const text = await found.text();
  try {
    throw new Refused(JSON.parse(text).error);
  } catch (error) {
    throw error instanceof Refused ? error : new Refused(text.slice(0, 300));
  }
}

export async function json(path, parameters) {
  return (await answer(path, parameters)).json();
}

export async function float32(path, parameters) {
  return new Float32Array(await (await answer(path, parameters)).arrayBuffer());
}

export async function float64(path, parameters) {
  return new Float64Array(await (await answer(path, parameters)).arrayBuffer());
}

export function address(path, parameters) {
  return `${path}?${new URLSearchParams(parameters)}`;
}
