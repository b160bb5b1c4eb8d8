// The arithmetic of the page: the same steps as in Python, tested against it. Nothing here touches the page.

// Statistics of a profile under a higher floor; `counts` and `histogram` are those of LevelCounts in raised_floor.py.
export function raised(counts, histogram, floor, without = false) {
  const rows = counts.count.length, cells = histogram.length / rows, width = counts.cellWidth;
  floor = Math.max(floor, counts.floor);
  const found = { mean: [], std: [], floorShare: [], min: [], max: [] };
  for (let row = 0; row < rows; row++) {
    const mean = counts.mean[row], std = counts.std[row], onFloor = counts.on_floor[row];
    const spike = counts.floor - mean, target = floor - mean;
    let n = onFloor, first = -onFloor * spike, second = counts.count[row] * std ** 2 - onFloor * spike ** 2;
    let firstAbove = 0, secondAbove = 0;
    for (let cell = 0; cell < cells; cell++) {
      const count = histogram[row * cells + cell];
      if (!count) continue;
      const end = (counts.firstCell + cell) * width + width;
      const left = Math.min(Math.max(end - width, counts.floor), end); // no value lies below the profile's own floor
      const cut = Math.min(Math.max(floor, left), end), size = end > left ? end - left : 1;
      const a = left - mean, c = cut - mean, b = end - mean;
      const below = count * ((cut - left) / size), above = count * ((end - cut) / size);
      n += below;
      first -= below * (a + c) / 2;
      second -= below * (a * a + a * c + c * c) / 3;
      firstAbove += above * (c + b) / 2;
      secondAbove += above * (c * c + c * b + b * b) / 3;
    }
    if (n > counts.count[row] / 2) [first, second] = [firstAbove, secondAbove]; // the fewer cells give the smaller error
    const added = without && n < counts.count[row] ? 0 : n;
    const total = counts.count[row] - n + added;
    const kept = n === onFloor && added === n;
    const moved = (added * target + first) / total;
    const square = (second + added * target ** 2) / total;
    found.mean.push(kept ? mean : mean + moved);
    found.std.push(kept ? std : Math.sqrt(Math.max(square - moved ** 2, 0)));
    found.floorShare.push(n / counts.count[row]);
    found.min.push(Math.max(counts.min[row], floor));
    found.max.push(Math.max(counts.max[row], floor));
  }
  return found;
}

export function quantile(values, share) {
  const sorted = Float64Array.from(values).sort();
  const at = share * (sorted.length - 1), low = Math.floor(at), high = Math.ceil(at);
  return sorted[low] + (sorted[high] - sorted[low]) * (at - low);
}

// Scales with 1 for zero, and none below a share of the others' median (safe_scale.py).
export function safeScale(scales, minScale) {
  const varying = scales.filter((scale) => scale > 0);
  const usual = varying.length ? quantile(varying, 0.5) : 0;
  return scales.map((scale) => Math.max(scale > 0 ? scale : 1, minScale * usual));
}

// Mean, deviation and extremes of max(level, floor), of the whole clip or of each band.
export function clipMoments(level, rows, floor, perBand) {
  const frames = level.length / rows, found = { mean: [], variance: [], min: [], max: [], onFloor: [] };
  const parts = perBand ? rows : 1, size = perBand ? frames : level.length;
  for (let part = 0; part < parts; part++) {
    let sum = 0, squares = 0, min = Infinity, max = -Infinity, onFloor = 0;
    const from = part * size;
    for (let i = from; i < from + size; i++) {
      const x = Math.max(level[i], floor);
      sum += x;
      if (x < min) min = x;
      if (x > max) max = x;
      if (x <= floor) onFloor++;
    }
    const mean = sum / size;
    for (let i = from; i < from + size; i++) squares += (Math.max(level[i], floor) - mean) ** 2;
    found.mean.push(mean);
    found.variance.push(squares / size);
    found.min.push(min);
    found.max.push(max);
    found.onFloor.push(onFloor / size);
  }
  return found;
}

// The map (x - shift) / scale of a normalizer at a floor: arrays of one number or of one for each row; null if this
// page cannot compute it. `kind` holds its settings, `data` the data set's statistics at the floor, `fitted` its map
// at the profile's own floor, `level` the clip.
export function mapOf(kind, { data, fitted, level, rows, floor, constantVariance }) {
  const perBand = kind.per === "band";
  if (kind.kind === "unchanged") return { shift: [0], scale: [1] };
  if (kind.kind === "per_clip" && !kind.ddof && !kind.epsilon) {
    const own = clipMoments(level, rows, floor, perBand);
    const flat = own.variance.map((v, i) => v <= constantVariance * (1 + own.mean[i] ** 2));
    return { shift: own.mean, scale: own.variance.map((v, i) => (flat[i] ? 1 : Math.sqrt(v))) };
  }
  if (data && (perBand || kind.per === "global")) {
    const statistics = perBand ? data.band : data.pooled;
    if (kind.kind === "standardize") return { shift: statistics.mean, scale: safeScale(statistics.std, kind.min_scale) };
    if (kind.kind === "min_max") {
      const spans = statistics.max.map((high, i) => high - statistics.min[i]);
      const scale = safeScale(spans, kind.min_scale).map((one) => one / (kind.high - kind.low));
      return { shift: statistics.min.map((low, i) => low - kind.low * scale[i]), scale };
    }
  }
  return fitted ? { ...fitted, ownFloor: true } : null;
}

// Normalized levels of max(level, floor), row by row.
export function mapped(level, rows, floor, { shift, scale }) {
  const frames = level.length / rows, values = new Float32Array(level.length);
  for (let row = 0; row < rows; row++) {
    const s = shift[shift.length > 1 ? row : 0], d = scale[scale.length > 1 ? row : 0];
    for (let i = row * frames; i < (row + 1) * frames; i++) values[i] = (Math.max(level[i], floor) - s) / d;
  }
  return values;
}

export function extremes(values) {
  let low = Infinity, high = -Infinity;
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [low, high];
}

export function counted(values, low, high, bins) {
  const counts = new Float64Array(bins), width = (high - low) / bins || 1;
  for (const value of values) counts[Math.min(bins - 1, Math.max(0, Math.floor((value - low) / width)))]++;
  return counts;
}

// Normalized values of some cells, evenly spread, with levels between floor and top: enough for limits of colours.
export function sampled(level, rows, floor, top, { shift, scale }, most = 1 << 14) {
  const frames = level.length / rows, step = Math.max(1, Math.floor(level.length / most)), found = new Float32Array(Math.ceil(level.length / step));
  for (let i = 0, k = 0; i < level.length; i += step, k++) {
    const row = Math.floor(i / frames), x = Math.min(top, Math.max(level[i], floor));
    found[k] = (x - shift[shift.length > 1 ? row : 0]) / scale[scale.length > 1 ? row : 0];
  }
  return found;
}

// Limits of colours: near the 2nd and the 99.8th percentile, so that silence does not spend the range.
export function colourLimits(values) {
  const [low, high] = extremes(values), bins = 1024;
  if (!(high > low)) return [low - 0.5, high + 0.5];
  const counts = counted(values, low, high, bins), width = (high - low) / bins;
  let reached = 0, from = null;
  for (let bin = 0; bin < bins; bin++) {
    reached += counts[bin];
    if (from === null && reached > 0.02 * values.length) from = low + bin * width;
    if (reached >= 0.998 * values.length) return [from, Math.max(low + (bin + 1) * width, from + width)];
  }
  return [low, high];
}

export function aboveShare(level, top) {
  let above = 0;
  for (const value of level) if (value > top) above++;
  return above / level.length;
}

// Counts of a profile's levels in bins, with everything below the floor in the floor's bin.
export function profileBins(counts, histogram, floor, low, high, bins) {
  const rows = counts.count.length, cells = histogram.length / rows, found = new Float64Array(bins);
  const bin = (level) => Math.min(bins - 1, Math.max(0, Math.floor((level - low) / ((high - low) / bins || 1))));
  for (let row = 0; row < rows; row++) {
    found[bin(Math.max(floor, counts.floor))] += counts.on_floor[row];
    for (let cell = 0; cell < cells; cell++) {
      const count = histogram[row * cells + cell];
      if (count) found[bin(Math.max(floor, (counts.firstCell + cell + 0.5) * counts.cellWidth))] += count;
    }
  }
  return found;
}

export function niceStep(span, most) {
  const raw = span / most, power = 10 ** Math.floor(Math.log10(raw));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= raw);
}
