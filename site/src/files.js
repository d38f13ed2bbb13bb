// Files of this site, with progress where they are large.

export async function fetched(url, how) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${url.pathname}: ${answer.status}`);
  return answer[how]();
}

// Adds up several downloads: tell(share) from 0 to 1.
export function sized(tell) {
  let [all, here] = [0, 0];
  return {
    expect: (bytes) => (all += bytes),
    got(bytes) {
      here += bytes;
      if (all) tell(Math.min(here / all, 1));
    },
  };
}

export async function downloaded(url, progress) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${url.pathname}: ${answer.status}`);
  progress.expect(Number(answer.headers.get("content-length") ?? 0));
  const parts = [];
  for (let reader = answer.body.getReader(), part = await reader.read(); !part.done; part = await reader.read()) {
    parts.push(part.value);
    progress.got(part.value.length);
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

// The content of gzipped bytes.
export const unpacked = (packed) =>
  new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
