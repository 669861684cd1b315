// SPDX-License-Identifier: Apache-2.0

// Elements. Text from the service becomes text nodes and attributes only, never HTML.

const byId = (id) => document.getElementById(id);

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

/** Creates an HTML element. */
function element(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

/** Creates an SVG element. */
function drawing(name, attributes = {}, ...children) {
  return fill(document.createElementNS('http://www.w3.org/2000/svg', name), attributes, children);
}

/** Creates an element with the value of a group; `undefined` is a missing label. */
function groupValue(value) {
  // <bdi> keeps text that runs from right to left within its place.
  return value ? element('bdi', {}, value) :
                 element('i', {}, value === undefined ? 'none' : 'empty');
}

/**
 * Creates an element with an exact decimal. Its fraction takes the width of at least
 * `fractionWidth` digits, which aligns the points of a column.
 */
function decimal(units, fractionWidth) {
  const [whole, fraction = ''] = groupDigits(formatDecimal(units)).split('.');
  const tail = element('span', {class: 'fraction'}, fraction && '.' + fraction);
  if (fractionWidth) tail.style.minWidth = `calc(${fractionWidth}ch + 0.4em)`;
  return element('span', {class: 'decimal'}, whole, tail);
}
