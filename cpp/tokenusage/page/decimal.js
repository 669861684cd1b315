// SPDX-License-Identifier: Apache-2.0

// Exact decimals. A sum is a BigInt of units of 1e-12, as the service adds it.

const DECIMALS = 12;
const ONE = 10n ** BigInt(DECIMALS);

/** Parses the `exact` text of a total. */
function parseDecimal(text) {
  const [whole, fraction = ''] = text.split('.');
  return BigInt(whole + fraction.padEnd(DECIMALS, '0'));
}

/** Formats a sum as the service does: without an exponent or trailing zeros. */
function formatDecimal(units) {
  const digits = units.toString().padStart(DECIMALS + 1, '0');
  const fraction = digits.slice(-DECIMALS).replace(/0+$/, '');
  return digits.slice(0, -DECIMALS) + (fraction && '.' + fraction);
}

/** Groups the digits before the point: 1,234.5. */
function groupDigits(text) {
  return text.replace(/^\d+/, (whole) => whole.replace(/\B(?=(\d{3})+$)/g, ','));
}

/** Formats an integer, of a number or BigInt: 1,234. */
function formatCount(count) {
  return groupDigits(String(count));
}

/** Formats a part of a whole as a percentage: 12.5 %. Returns '' if the whole is 0. */
function formatShare(part, whole) {
  if (whole === 0n) return '';
  const tenths = (part * 1000n + whole / 2n) / whole;
  return `${tenths / 10n}.${tenths % 10n}\u202f%`;
}

/** Formats the change from `whole` to `part` as a percentage of `whole`: +12.5 %. */
function formatChange(part, whole) {
  return (part < whole ? '−' : '+') +
      formatShare(part < whole ? whole - part : part - whole, whole);
}

/** Compares two BigInts, for sorting. */
function compareUnits(a, b) {
  return a < b ? -1 : a > b ? 1 : 0;
}
