"""The page's style sheet: light and dark, phone and desktop, fonts of the reader's machine."""

# c0, c1, ... are the colours of the distillation scales in ascending order, after Okabe and Ito, for any colour vision.
STYLE = """
:root{--paper:#fdfcfa;--ink:#1c1d20;--soft:#5c5f66;--faint:#dedbd4;--wash:#f1efe9;
--c0:#c8500a;--c1:#00825f;--c2:#0067a8;--c3:#b05a88;--c4:#a87400;--accent:#0067a8}
@media (prefers-color-scheme:dark){:root{--paper:#15171a;--ink:#e9e7e2;--soft:#a0a3a9;--faint:#34383e;--wash:#1f2226;
--c0:#f08a4b;--c1:#3ec6a0;--c2:#62b5ec;--c3:#dd9cc0;--c4:#e3b34c;--accent:#62b5ec}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;overflow-x:clip;background:var(--paper);color:var(--ink);
font:17px/1.55 Charter,"Bitstream Charter","Iowan Old Style","Source Serif 4",Cambria,Georgia,"Liberation Serif",serif}
main{max-width:58rem;margin:0 auto;padding:3.5rem 1.5rem 4rem}
h1{font-size:2.1rem;line-height:1.15;font-weight:600;letter-spacing:-.012em;margin:.2rem 0 1.2rem}
h2{font-size:1.45rem;line-height:1.25;font-weight:600;margin:0 0 1.1rem}
p{margin:0 0 .8rem}
section{margin-top:4.2rem}
.kicker,nav,table,.tile p,.legend,.note,dl,.summary,footer,figcaption,svg text{
font-family:Inter,"Helvetica Neue",system-ui,-apple-system,"Segoe UI",Roboto,"Liberation Sans",Arial,sans-serif}
.kicker{font-size:.74rem;letter-spacing:.09em;text-transform:uppercase;color:var(--soft);margin:0 0 .15rem}
.lede{font-size:1.32rem;line-height:1.45;max-width:46rem;text-wrap:pretty}
.note,footer{font-size:.84rem;line-height:1.5;color:var(--soft);max-width:46rem;text-wrap:pretty}
nav{display:flex;flex-wrap:wrap;gap:.3rem 1.4rem;font-size:.86rem;margin-top:1.6rem;padding-top:.8rem;
border-top:1px solid var(--faint)}
a{color:var(--accent);text-decoration:none}a:hover{text-decoration:underline}
b{font-weight:700}
td small{font-size:.78rem;color:var(--soft)}

.tiles{display:grid;grid-template-columns:repeat(4,1fr);gap:0 1.6rem;margin:2rem 0 1rem}
.tile{border-top:2px solid var(--ink);padding:.6rem 0 1rem}
.tile p{margin:0;font-size:.8rem;line-height:1.45;color:var(--soft)}
.tile p:first-child{color:var(--ink);font-weight:600}
.tile strong{display:block;font-size:2.5rem;line-height:1.25;font-weight:500;font-variant-numeric:lining-nums}
.tile small{font-size:1.1rem;color:var(--soft)}

.scroll{overflow-x:auto;margin:0 -1.5rem;padding:0 1.5rem}
.scroll.columns{margin-right:calc(50% - 50vw)}
.scroll.columns table{width:auto;min-width:min(100%,55rem)}
.scroll.columns th:first-child{position:sticky;left:0;background:var(--paper)}
table{border-collapse:collapse;width:100%;font-size:.88rem;line-height:1.2;
font-variant-numeric:tabular-nums lining-nums}
th,td{height:1.85rem;padding:0 .55rem;text-align:right;white-space:nowrap;font-weight:400}
th:first-child{text-align:left;padding-left:0}
.wer td:nth-child(2),.wer th:nth-child(2):not(.paper){text-align:left}
thead th{color:var(--soft);font-size:.78rem;border-bottom:1px solid var(--ink)}
thead .over th{border:0;height:1.2rem}
tbody tr.first>*{border-top:1px solid var(--faint)}
tbody tr:first-child>*{border-top:0}
tbody tr:last-child>*{border-bottom:1px solid var(--ink)}
tbody th{font-weight:600}
.paper{color:var(--soft)}
table.errors{width:auto;margin:.4rem 0}
.plot{width:36%;min-width:7rem}td.plot,th.plot{padding:0 .9rem}
.strip{display:block;width:100%;height:1.85rem;overflow:visible}
.strip .test{fill:currentColor}.strip .dev{fill:var(--paper);stroke:currentColor;stroke-width:1.6}
.strip .link{stroke:currentColor;stroke-width:1.5;opacity:.45}
.rule{stroke:var(--soft);stroke-width:1}.rule.baseline{stroke-dasharray:5 3}.rule.teacher{stroke-dasharray:1.5 2.5}
.free{color:var(--soft);text-decoration:none;margin-left:.35em;cursor:help}
.ink{color:var(--ink)}
.c0{color:var(--c0)}.c1{color:var(--c1)}.c2{color:var(--c2)}.c3{color:var(--c3)}.c4{color:var(--c4)}

.legend{display:flex;flex-wrap:wrap;gap:.2rem 1.3rem;font-size:.82rem;color:var(--soft);margin:.9rem 0 .6rem}
.legend span{display:inline-flex;align-items:center;gap:.45em}
.legend .free{margin:0}
.key{display:inline-block;width:.62rem;height:.62rem;background:currentColor}
.key.round,.key.shape0{border-radius:50%}.key.shape2{transform:rotate(45deg) scale(.9)}
.key.open{background:none;border:1.6px solid currentColor}
.key.baseline,.key.teacher{width:1.3rem;height:0;background:none;border-top:1.5px dashed}
.key.teacher{border-top-style:dotted}.key.line{height:.18rem;width:1.1rem}

svg text{font-size:12px;fill:var(--soft);font-variant-numeric:tabular-nums}
:where(svg .label){color:var(--soft)}
svg .label{fill:currentColor;paint-order:stroke;stroke:var(--paper);stroke-width:4px}
svg .grid{stroke:var(--faint);stroke-width:1}
svg .line{fill:none;stroke:currentColor;stroke-width:2;stroke-linejoin:round}
svg .line.train{opacity:.45;stroke-width:1.3}
svg .mark{fill:currentColor;stroke:var(--paper);stroke-width:1.5}
svg .mark.hollow{fill:none;stroke:currentColor}
svg .track{fill:var(--wash)}svg .bar{fill:var(--accent)}svg .paper{stroke:var(--ink);stroke-width:2}
figure{margin:0 0 .8rem}.scroll+.note{margin-top:.9rem}figure svg{display:block;width:100%;height:auto}
figure.wide{max-width:42rem}figure.small{max-width:24rem}
.panels{display:grid;grid-template-columns:repeat(auto-fill,minmax(11.5rem,1fr));gap:1.1rem 1.6rem;margin-bottom:.8rem}
figcaption{font-size:.82rem;font-weight:600;margin-bottom:.2rem}

.facts{display:grid;grid-template-columns:repeat(auto-fill,minmax(12.5rem,1fr));gap:.9rem 1.6rem;margin:1.4rem 0;
font-size:.86rem;line-height:1.4}
dt{color:var(--soft);font-size:.78rem}dd{margin:0;overflow-wrap:anywhere}
.jobs{display:block}.jobs div{display:grid;grid-template-columns:7rem 1fr;gap:.8rem;align-items:baseline}
code{font:.78rem ui-monospace,Menlo,Consolas,"Liberation Mono",monospace}
.summary{display:grid;grid-template-columns:1.1rem 8.5rem 1fr 3rem 3rem;gap:.8rem;padding:.45rem 0;font-size:.88rem;
line-height:1.4;font-variant-numeric:tabular-nums}
.summary::before{content:""}
summary.summary{list-style:none;cursor:pointer}summary::-webkit-details-marker{display:none}
summary.summary::before{content:"+";color:var(--soft);text-align:center}
[open]>summary.summary::before{content:"−"}
summary span:first-child{font-weight:600}.summary span:nth-child(n+3){text-align:right}
div.summary{color:var(--soft);font-size:.78rem;padding-bottom:.2rem}
summary:hover{background:var(--wash)}
details{border-top:1px solid var(--faint)}details:last-of-type{border-bottom:1px solid var(--faint)}
div.summary+details{border-top-color:var(--ink)}
.body{margin:0 0 1.6rem 1.95rem}
footer{margin-top:4.5rem;padding-top:1rem;border-top:1px solid var(--faint);max-width:none}

@media (max-width:46rem){body{font-size:16px}main{padding:2rem 1rem 3rem}.scroll{margin:0 -1rem;padding:0 1rem}
h1{font-size:1.7rem}.lede{font-size:1.14rem}section{margin-top:3.2rem}
.tiles{grid-template-columns:1fr 1fr;gap:0 1.1rem}.tile strong{font-size:2.1rem}
table{font-size:.82rem}th,td{padding:0 .32rem}td.plot,th.plot{min-width:6rem;padding:0 .6rem}
.summary{grid-template-columns:1.1rem 1fr 2.6rem 2.6rem;gap:.1rem .6rem}
summary span:nth-child(2){grid-row:2;grid-column:2;color:var(--soft)}div.summary span:nth-child(2){display:none}
.body{margin-left:0}figure.wide text{font-size:16px}.panels{grid-template-columns:1fr 1fr;gap:.8rem}
.panels text{font-size:15px}.coverage td:nth-child(3),.coverage th:nth-child(3){display:none}
.coverage th,.wer thead tr:last-child th{white-space:normal}.facts{grid-template-columns:1fr 1fr}
.jobs div{grid-template-columns:1fr;gap:0}}
@media print{.scroll{overflow:visible}}
"""
