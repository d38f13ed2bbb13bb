// Charts that Python drew, to which a page adds where it stands.

const CUT = [0, 0, 0];
const kept = new WeakMap(); // a chart's pixels, decoded once

// A chart to draw on. about: {png, x, y}, the file and the data units at its edges.
export async function chartOf(about) {
  if (!kept.has(about)) {
    const bitmap = await createImageBitmap(new Blob([about.png], { type: "image/png" }), { colorSpaceConversion: "none" });
    const { width, height } = bitmap;
    const context = new OffscreenCanvas(width, height).getContext("2d");
    context.drawImage(bitmap, 0, 0);
    kept.set(about, context.getImageData(0, 0, width, height));
  }
  const { data, width, height } = kept.get(about);
  return { data: data.slice(), width, height, x: about.x, y: about.y };
}

// Row and column of a point in data units; beyond the edge, on the edge.
export function place({ width, height, x: [x0, x1], y: [y0, y1] }, x, y) {
  const inside = (share) => Math.min(Math.max(share, 0), 1);
  return [
    Math.round((1 - inside((y - y0) / (y1 - y0))) * (height - 1)),
    Math.round(inside((x - x0) / (x1 - x0)) * (width - 1)),
  ];
}

export function paint(picture, top, bottom, left, right, colour) {
  for (let y = Math.max(0, top); y < Math.min(bottom, picture.height); y++)
    for (let x = Math.max(0, left); x < Math.min(right, picture.width); x++)
      picture.data.set(colour, 4 * (y * picture.width + x));
}

// A dashed line down a column.
export function dashed(chart, top, bottom, column) {
  for (let y = top; y < bottom; y++) if (Math.floor(y / 4) % 2 === 0) paint(chart, y, y + 1, column - 1, column + 1, CUT);
}

// A square with a black edge of two pixels, `reach` to each side of its middle.
export function square(chart, row, column, reach, colour) {
  for (const [far, painted] of [[reach, CUT], [reach - 2, colour]])
    paint(chart, row - far, row + far + 1, column - far, column + far + 1, painted);
}
