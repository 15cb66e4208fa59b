// SPDX-License-Identifier: Apache-2.0
export const vertexShader = `#version 300 es
in vec2 corner;                 // 0..1, y down
uniform vec4 rect;              // of the tile in clip space: left, top, width, height (height < 0)
out vec2 screen;
void main() {
  screen = corner;
  gl_Position = vec4(rect.xy + corner * rect.zw, 0.0, 1.0);
}`;

export interface Variant {
  /** 0 A, 1 wipe, 2 difference, 3 overlay. */
  mode: 0 | 1 | 2 | 3;
  smooth: boolean;
  coloured: boolean;
}

/**
 * Everything from the complex sample to the colour happens here, so that a change of part, window, gamma or map costs a
 * draw and no transfer. Samples are read with texelFetch: float textures need no filtering extension, and interpolation
 * is done on the complex number, where a phase has no seam.
 *
 * Compiled for what is asked (MODE, SMOOTH, COLOURED): renderers on the CPU walk all branches of a shader for every
 * pixel, and remote desktops and servers have no other.
 */
export const fragmentShader = (v: Variant): string => `#version 300 es
#define MODE ${v.mode}
#define SMOOTH ${v.smooth ? 1 : 0}
#define COLOURED ${v.coloured ? 1 : 0}
precision highp float;
precision highp int;
precision highp sampler2D;
in vec2 screen;
out vec4 pixel;
uniform sampler2D planeA, planeB, tableA, tableB;
uniform bool complexA, complexB;
uniform bvec2 flip;
uniform int partA, partB;       // 0 real, 1 imaginary, 2 magnitude, 3 phase, 4 colour
uniform bool labelsA, labelsB;
uniform vec3 windowA, windowB;  // floor, ceiling, gamma
uniform float wipe, opacity;
const float pi = 3.14159265358979;

// By the bits: comparisons with NaN may be optimised away.
bool nan(float v) { return (floatBitsToUint(v) & 0x7fffffffu) > 0x7f800000u; }
bool nan(vec2 v) { return nan(v.x) || nan(v.y); }
bool finite(vec2 v) { return (floatBitsToUint(v.x) & 0x7f800000u) != 0x7f800000u && (floatBitsToUint(v.y) & 0x7f800000u) != 0x7f800000u; }

vec2 at(sampler2D plane, ivec2 p) {
  return texelFetch(plane, clamp(p, ivec2(0), textureSize(plane, 0) - 1), 0).rg;
}
vec2 read(sampler2D plane, vec2 uv, bool between) {
  vec2 p = uv * vec2(textureSize(plane, 0));
  vec2 nearest = at(plane, ivec2(floor(p)));
#if SMOOTH == 1
  if (!between || !finite(nearest)) return nearest;
  vec2 f = p - 0.5;
  ivec2 i = ivec2(floor(f));
  f -= vec2(i);
  vec2 a = at(plane, i), b = at(plane, i + ivec2(1, 0)), c = at(plane, i + ivec2(0, 1)), d = at(plane, i + 1);
  if (!finite(a) || !finite(b) || !finite(c) || !finite(d)) return nearest;  // 0 times infinity is NaN
  return mix(mix(a, b, f.x), mix(c, d, f.x), f.y);
#else
  return nearest;
#endif
}
float angle(vec2 v) { return v == vec2(0.0) ? 0.0 : atan(v.y, v.x); }
float part(vec2 v, bool isComplex, int which) {
  if (!isComplex) return which == 2 ? abs(v.x) : v.x;
  if (which == 0) return v.x;
  if (which == 1) return v.y;
  if (which == 3) return angle(v);
  return length(v);
}
// 0 cyan, +90 green, 180 red, -90 magenta; linear in hue between.
vec3 ring(float phase) {
  float q = phase / (pi / 2.0);
  float hue = q >= 1.0 ? 240.0 - 120.0 * q : q >= 0.0 ? 180.0 - 60.0 * q : q >= -1.0 ? 180.0 - 120.0 * q : 240.0 - 60.0 * q;
  vec3 k = mod(hue / 60.0 + vec3(0.0, 4.0, 2.0), 6.0);
  return clamp(abs(k - 3.0) - 1.0, 0.0, 1.0);
}
float windowed(float v, vec3 w) {
  float t = w.y > w.x ? clamp((v - w.x) / (w.y - w.x), 0.0, 1.0) : (v > w.x ? 1.0 : 0.0);
  return pow(t, w.z);
}
vec4 hatch() {
  float band = mod(gl_FragCoord.x + gl_FragCoord.y, 10.0);
  return band < 5.0 ? vec4(0.20, 0.21, 0.24, 1.0) : vec4(0.12, 0.13, 0.15, 1.0);
}
vec4 shade(float v, vec2 number, bool coloured, vec3 w, sampler2D table, bool labels) {
  if (nan(v)) return hatch();
#if COLOURED == 1
  if (coloured) return vec4(ring(angle(number)) * windowed(v, w), 1.0);
#endif
  int entry = labels ? (v < 0.5 ? 0 : (int(v + 0.5) - 1) % 255 + 1) : int(255.0 * windowed(v, w) + 0.5);
  return vec4(texelFetch(table, ivec2(entry, 0), 0).rgb, 1.0);
}
void main() {
  vec2 uv = vec2(flip.x ? 1.0 - screen.x : screen.x, flip.y ? 1.0 - screen.y : screen.y);
#if MODE == 1
  if (screen.x > wipe) {
    vec2 b = read(planeB, uv, !labelsB);
    pixel = shade(part(b, complexB, partB), b, complexB && partB == 4, windowB, tableB, labelsB);
    return;
  }
#endif
  vec2 a = read(planeA, uv, !labelsA);
#if MODE == 2
  vec2 b = read(planeB, uv, !labelsA);
  bool isComplex = complexA || complexB;
  float d = isComplex && partA == 3 ? angle(vec2(a.x * b.x + a.y * b.y, a.y * b.x - a.x * b.y))
          : isComplex && partA == 4 ? length(a - b)
          : part(a, complexA, partA) - part(b, complexB, partA);
  pixel = nan(a) || nan(b) ? hatch() : shade(d, a - b, isComplex && partA == 4, windowB, tableB, false);
#else
  pixel = shade(part(a, complexA, partA), a, complexA && partA == 4, windowA, tableA, labelsA);
#endif
#if MODE == 3
  vec2 b = read(planeB, uv, !labelsB);
  float v = part(b, complexB, partB);
  bool hidden = nan(v) || (labelsB ? v < 0.5 : v <= windowB.x);
  if (!hidden) {
    vec4 over = shade(v, b, complexB && partB == 4, windowB, tableB, labelsB);
    pixel = vec4(mix(pixel.rgb, over.rgb, opacity), 1.0);
  }
#endif
}`;
