"use strict";
// A chart as a file that opens alone: what style sheets say of it is written into its elements. Loaded when asked for.
const SAID = ["fill", "fill-opacity", "stroke", "stroke-width", "stroke-opacity", "stroke-dasharray", "stroke-linecap", "stroke-linejoin",
  "opacity", "stop-color", "stop-opacity", "font-family", "font-size", "font-weight", "text-anchor", "display"];

export function drawn(chart) {
  const copy = chart.cloneNode(true), box = chart.getBoundingClientRect(), style = getComputedStyle(chart);
  const originals = [chart, ...chart.querySelectorAll("*")];
  [copy, ...copy.querySelectorAll("*")].forEach((each, nth) => {
    const computed = getComputedStyle(originals[nth]);
    for (const name of SAID) each.setAttribute(name, computed.getPropertyValue(name));
    each.removeAttribute("style");
  });
  for (const each of copy.querySelectorAll(".hit, .cursor, .target")) each.remove();
  const [left, top, right, bottom] = ["left", "top", "right", "bottom"].map((side) => parseFloat(style.getPropertyValue(`padding-${side}`)));
  const inner = { x: left, y: top, width: box.width - left - right, height: box.height - top - bottom, overflow: "visible" };
  for (const [name, value] of Object.entries(inner)) copy.setAttribute(name, value);
  const outer = document.createElementNS("http://www.w3.org/2000/svg", "svg"), paper = document.createElementNS(outer.namespaceURI, "rect");
  for (const [name, value] of Object.entries({ width: box.width, height: box.height, viewBox: `0 0 ${box.width} ${box.height}` })) outer.setAttribute(name, value);
  for (const [name, value] of Object.entries({ width: "100%", height: "100%", fill: getComputedStyle(chart.closest(".card") || document.body).backgroundColor })) paper.setAttribute(name, value);
  outer.append(paper, copy);
  return new XMLSerializer().serializeToString(outer);
}

export function save(chart, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([drawn(chart)], { type: "image/svg+xml" }));
  link.download = `${name}.svg`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}
