// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace larmor::io {

/// Style sheet of HtmlReport.
inline constexpr const char* report_style = R"css(
:root{color-scheme:light dark;--page:#f4f6f9;--card:#fff;--ink:#1b2430;--soft:#5b6878;--line:#dfe4ea;--accent:#0b6fb3;
--tint:#eaf3fa;--good:#18794e;--warn:#9a5b00;--warn-tint:#fff5e0;--bad:#c0312b;--stripe:#f7f9fb}
@media (prefers-color-scheme:dark){:root{--page:#12161c;--card:#1a2028;--ink:#e3e8ee;--soft:#98a4b3;--line:#2d3641;
--accent:#5cb3ec;--tint:#172836;--good:#4cc38a;--warn:#f0b357;--warn-tint:#2c2415;--bad:#ff7a70;--stripe:#1e252e}}
*{box-sizing:border-box}
html{scroll-behavior:smooth;-webkit-text-size-adjust:100%}
body{margin:0;background:var(--page);color:var(--ink);font:15px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,
"DejaVu Sans",sans-serif}
.page{max-width:1240px;margin:0 auto;padding:0 24px 48px;display:grid;grid-template-columns:190px minmax(0,1fr);gap:0 36px}
header{grid-column:1/-1;padding:34px 0 20px;margin-bottom:24px;border-bottom:1px solid var(--line)}
header h1{font-size:28px;line-height:1.2;margin:0;letter-spacing:-.01em;font-weight:650}
header p{margin:6px 0 0;color:var(--soft);font-size:16px}
nav{position:sticky;top:0;align-self:start;padding-top:4px;font-size:14px}
nav ol{list-style:none;margin:0;padding:0;border-left:2px solid var(--line)}
nav a{display:block;padding:4px 0 4px 14px;margin-left:-2px;border-left:2px solid transparent;color:var(--soft);
text-decoration:none}
nav a:hover{color:var(--accent);border-left-color:var(--accent)}
main{min-width:0}
main.alone{grid-column:1/-1}
section{margin:38px 0 0;padding-top:2px;scroll-margin-top:16px}
main>section:first-child{margin-top:0}
h2{font-size:20px;font-weight:650;margin:0 0 4px;letter-spacing:-.005em}
h3{font-size:16px;font-weight:600;margin:26px 0 8px}
p{margin:8px 0;max-width:78ch}
.lead{color:var(--soft);margin:0 0 14px}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(146px,1fr));gap:12px;margin:0 0 20px}
.tile{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:11px 14px;border-top:3px solid var(--accent)}
.tile b{font-size:23px;line-height:1.25;font-weight:650;letter-spacing:-.01em;font-variant-numeric:tabular-nums;display:flex;
flex-wrap:wrap;align-items:baseline;gap:0 5px}
.tile b span{font-size:14px;font-weight:500;color:var(--soft);letter-spacing:0;white-space:nowrap}
.tile i{display:block;font-style:normal;font-size:13px;color:var(--soft);margin-top:1px}
.mood-good{border-top-color:var(--good)}.mood-warning{border-top-color:var(--warn)}.mood-bad{border-top-color:var(--bad)}
.mood-bad b{color:var(--bad)}
dl{display:grid;grid-template-columns:minmax(120px,max-content) minmax(0,1fr);background:var(--card);border:1px solid var(--line);
border-radius:10px;margin:12px 0;overflow:hidden;font-size:14px}
dt,dd{margin:0;padding:6px 16px}
dt{color:var(--soft);padding-right:24px}
dd{overflow-wrap:anywhere;font-variant-numeric:tabular-nums}
dt:not(:first-of-type),dt:not(:first-of-type)+dd{border-top:1px solid var(--line)}
.scroll{overflow-x:auto;background:var(--card);border:1px solid var(--line);border-radius:10px;margin:12px 0}
table{border-collapse:collapse;width:100%;font-size:14px}
caption{caption-side:bottom;text-align:left;color:var(--soft);font-size:13px;padding:8px 16px;border-top:1px solid var(--line)}
th,td{padding:6px 16px;text-align:left;vertical-align:top}
th{font-weight:600;font-size:13px;color:var(--soft);border-bottom:1px solid var(--line);white-space:nowrap;vertical-align:bottom}
tbody tr:nth-child(even){background:var(--stripe)}
.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.note,.warning{border-radius:8px;border-left:4px solid var(--accent);background:var(--tint);padding:9px 16px;margin:12px 0;
max-width:none}
.warning{border-left-color:var(--warn);background:var(--warn-tint)}
.warning b{color:var(--warn)}.note b{color:var(--accent)}
.figures{display:grid;gap:16px;margin:14px 0}
.c2{grid-template-columns:repeat(2,minmax(0,1fr))}.c3{grid-template-columns:repeat(3,minmax(0,1fr))}
figure{margin:14px 0;background:var(--card);border:1px solid var(--line);border-radius:10px;padding:14px 16px 12px;min-width:0}
.figures figure{margin:0}
figure h4{margin:0 0 8px;font-size:15px;font-weight:600}
figure svg{display:block;margin:0 auto}
figcaption{color:var(--soft);font-size:13px;line-height:1.45;margin-top:9px}
details{background:var(--card);border:1px solid var(--line);border-radius:10px;margin:12px 0}
summary{cursor:pointer;padding:9px 16px;font-weight:600;font-size:14px}
details[open] summary{border-bottom:1px solid var(--line)}
pre{margin:0;padding:12px 16px;overflow:auto;max-height:460px;font:12.5px/1.5 ui-monospace,SFMono-Regular,Menlo,
"DejaVu Sans Mono",monospace}
footer{grid-column:1/-1;border-top:1px solid var(--line);margin-top:48px;padding-top:14px;color:var(--soft);font-size:13px}
@media (max-width:960px){.page{grid-template-columns:minmax(0,1fr);padding:0 14px 32px}
nav{position:static;margin-bottom:22px}nav ol{border:0;display:flex;flex-wrap:wrap;gap:6px}
nav a{border:1px solid var(--line);border-radius:999px;padding:3px 12px;margin:0}}
@media (max-width:760px){.c2,.c3{grid-template-columns:minmax(0,1fr)}}
@media print{:root{--page:#fff;--card:#fff;--ink:#000;--soft:#444;--line:#ccc;--stripe:#f6f6f6;--tint:#f3f7fa;--warn-tint:#fdf6e8}
body{font-size:11pt}nav{display:none}.page{display:block;max-width:none;padding:0}figure,.tile,dl,.scroll,.note,.warning
{break-inside:avoid}h2,h3{break-after:avoid}pre{max-height:none;white-space:pre-wrap}.tile{-webkit-print-color-adjust:exact;
print-color-adjust:exact}}
)css";

}  // namespace larmor::io
