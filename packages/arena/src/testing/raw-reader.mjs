// A thread that knows nothing of the package: it reads the buffer through the layout as data, adds one to a column, and
// says what it saw.
import { parentPort, workerData } from 'node:worker_threads';

const { buffer, layout } = workerData;
const arrays = {
  u8: Uint8Array,
  u16: Uint16Array,
  u32: Uint32Array,
  i32: Int32Array,
  f64: Float64Array,
  bit: Uint32Array,
};
const seen = {};
for (const table of layout.tables) {
  for (const column of table.columns) {
    const cells = new arrays[column.type](buffer, column.offset, table.rows * column.stride);
    seen[`${table.name}.${column.name}`] = [...cells];
    if (column.name === 'visits') for (let row = 0; row < table.rows; row++) Atomics.add(cells, row, 1);
  }
}
parentPort.postMessage(seen);
