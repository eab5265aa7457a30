"""The page's style sheet: light and dark, phone and desktop, fonts of the reader's machine."""

STYLE = """
:root{--paper:#fdfcfa;--ink:#1c1d20;--soft:#5c5f66;--faint:#dedbd4;--wash:#f3f1ec;
--c0:#c2500a;--c1:#00815f;--c2:#0067a8;--c3:#b05a88;--c4:#a87400;--accent:#0067a8}
@media (prefers-color-scheme:dark){:root{--paper:#15171a;--ink:#e9e7e2;--soft:#a0a3a9;--faint:#34383e;--wash:#1d2024;
--c0:#f08a4b;--c1:#3ec6a0;--c2:#62b5ec;--c3:#dd9cc0;--c4:#e3b34c;--accent:#62b5ec}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;scroll-behavior:smooth}
body{margin:0;background:var(--paper);color:var(--ink);
font:17px/1.55 Charter,"Bitstream Charter","Iowan Old Style","Source Serif 4",Cambria,Georgia,serif}
main{max-width:58rem;margin:0 auto;padding:3.5rem 1.5rem 4rem}
h1{font-size:2.1rem;line-height:1.15;font-weight:600;letter-spacing:-.012em;margin:.2rem 0 1.2rem}
h2{font-size:1.45rem;line-height:1.25;font-weight:600;margin:0 0 1.1rem}
p{margin:0 0 .8rem}
section{margin-top:4rem}
.kicker,nav,table,.tile p,.legend,.note,dl,summary,footer,figcaption,svg text,code
{font-family:"Inter","Helvetica Neue",system-ui,-apple-system,"Segoe UI",Roboto,"Liberation Sans",Arial,sans-serif}
.kicker{font-size:.74rem;letter-spacing:.09em;text-transform:uppercase;color:var(--soft);margin:0 0 .15rem}
.lede{font-size:1.32rem;line-height:1.45;max-width:46rem}
.note,footer{font-size:.84rem;line-height:1.5;color:var(--soft);max-width:46rem}
nav{display:flex;flex-wrap:wrap;gap:.3rem 1.3rem;font-size:.84rem;margin-top:1.6rem;padding-top:.8rem;
border-top:1px solid var(--faint)}
a{color:var(--accent);text-decoration:none}a:hover{text-decoration:underline}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(10.5rem,1fr));gap:0 1.6rem;margin:2rem 0 1.2rem}
.tile{border-top:2px solid var(--ink);padding:.6rem 0 1rem}
.tile p{margin:0;font-size:.8rem;line-height:1.4;color:var(--soft)}
.tile p:first-child{color:var(--ink);font-weight:600}
.tile strong{display:block;font-size:2.5rem;line-height:1.2;font-weight:500;font-variant-numeric:lining-nums}
.tile small{font-size:1.1rem;color:var(--soft)}
.scroll{overflow-x:auto;margin:0 -1.5rem;padding:0 1.5rem}
table{border-collapse:collapse;width:100%;font-size:.9rem;line-height:1.35;font-variant-numeric:tabular-nums lining-nums}
th,td{padding:.3rem .55rem;text-align:right;white-space:nowrap;font-weight:400}
th:first-child{text-align:left;padding-left:0}
thead th{color:var(--soft);font-size:.78rem;vertical-align:bottom;border-bottom:1px solid var(--ink)}
.over th{border:0;padding-bottom:0}
tbody tr.first>*{border-top:1px solid var(--faint)}
tbody tr:first-child>*{border-top:0}
tbody tr:last-child>*{border-bottom:1px solid var(--ink)}
tbody th{font-weight:600}
td.best{font-weight:700}
.paper{color:var(--soft)}
td.plot,th.plot{width:34%;min-width:7rem;padding:0 .8rem}
.strip{display:block;width:100%;height:1.7rem;overflow:visible}
.strip.axis{height:1.1rem}
.dot.test{fill:var(--accent)}.dot.dev{fill:var(--paper);stroke:var(--accent);stroke-width:1.5}
.link{stroke:var(--accent);stroke-width:1.5;opacity:.5}
.rule{stroke:var(--soft);stroke-width:1}.rule.baseline{stroke-dasharray:5 3}.rule.teacher{stroke-dasharray:1.5 2.5}
.free{color:var(--c1);text-decoration:none;margin-left:.3em;cursor:help}
.legend{display:flex;flex-wrap:wrap;gap:.2rem 1.3rem;font-size:.82rem;color:var(--soft);margin:.8rem 0 .6rem}
.legend span{display:inline-flex;align-items:center;gap:.45em}
.key{display:inline-block;width:.65rem;height:.65rem;background:currentColor}
.key.shape0,.key.dev,.key.test{border-radius:50%}.key.shape2{transform:rotate(45deg) scale(.9)}
.key.test{background:var(--accent)}.key.dev{background:none;border:1.5px solid var(--accent)}
.key.baseline,.key.teacher{width:1.2rem;height:0;background:none;border-top:1.5px dashed var(--soft)}
.key.teacher{border-top-style:dotted}.key.line{height:.2rem;width:1.1rem}
.c0{color:var(--c0)}.c1{color:var(--c1)}.c2{color:var(--c2)}.c3{color:var(--c3)}.c4{color:var(--c4)}
svg text{font-size:12px;fill:var(--soft);font-variant-numeric:tabular-nums}
svg .grid{stroke:var(--faint);stroke-width:1}
svg .line{fill:none;stroke:currentColor;stroke-width:2;stroke-linejoin:round}
svg .line.train{opacity:.45;stroke-width:1.3}
svg .mark{fill:currentColor;stroke:var(--paper);stroke-width:1.5}
svg .track{fill:var(--wash)}svg .bar{fill:var(--accent)}svg .paper{stroke:var(--ink);stroke-width:2}
figure{margin:0}figure svg{display:block;width:100%;height:auto}
section>figure{max-width:42rem}
.panels{display:grid;grid-template-columns:repeat(auto-fill,minmax(13.5rem,1fr));gap:1.3rem 1.6rem;margin-bottom:.8rem}
figcaption{font-size:.82rem;font-weight:600;margin-bottom:.2rem}
.facts{display:grid;grid-template-columns:repeat(auto-fill,minmax(12.5rem,1fr));gap:.9rem 1.6rem;margin:1.4rem 0;font-size:.86rem}
dt{color:var(--soft);font-size:.78rem}dd{margin:0;overflow-wrap:anywhere}
.jobs{grid-template-columns:1fr;gap:.5rem}code{font-family:ui-monospace,Menlo,Consolas,"Liberation Mono",monospace;font-size:.78rem}
details{border-top:1px solid var(--faint)}details:last-of-type{border-bottom:1px solid var(--faint)}
summary{display:grid;grid-template-columns:9rem 1fr 3rem 3rem;gap:.8rem;padding:.5rem 0;font-size:.9rem;cursor:pointer;
font-variant-numeric:tabular-nums;list-style:none}
summary::-webkit-details-marker{display:none}
summary span:first-child{font-weight:600}summary span:nth-child(n+3){text-align:right}
summary:hover{background:var(--wash)}
details[open]{padding-bottom:1rem}
footer{margin-top:4.5rem;padding-top:1rem;border-top:1px solid var(--faint)}
@media (max-width:34rem){body{font-size:16px}main{padding:2rem 1rem 3rem}.scroll{margin:0 -1rem;padding:0 1rem}
h1{font-size:1.65rem}.lede{font-size:1.12rem}section{margin-top:3rem}
.tiles{grid-template-columns:1fr 1fr;gap:0 1.1rem}.tile strong{font-size:2rem}
table{font-size:.82rem}th,td{padding:.28rem .3rem}td.plot,th.plot{min-width:5.5rem;padding:0 .5rem}
summary{grid-template-columns:1fr 2.6rem 2.6rem}summary span:nth-child(2){grid-row:2;grid-column:1;color:var(--soft)}}
"""
