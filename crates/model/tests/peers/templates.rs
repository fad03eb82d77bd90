//! Chat templates that real models carry: rendered here to the bytes that transformers makes of them.

use crate::python::python;
use model::{ChatTemplate, Conversation, Moment, Tokenizer};
use serde_json::{Map, Value, json};
use std::path::Path;

/// Another day than the one that templates are told unless asked.
const NOW: i64 = 1_763_197_445;

fn conversations() -> Value {
    let weather = json!({
        "type": "function",
        "function": {
            "name": "weather",
            "description": "The weather at a place, \"now\" or <later> & 'then'.",
            "parameters": {
                "type": "object",
                "properties": {
                    "place": { "type": "string", "description": "Caf\u{e9} or town\nby name" },
                    "days": { "type": "integer", "description": "How far ahead", "default": 1 },
                    "unit": { "type": "string", "enum": ["C", "F"], "description": "Of temperature" },
                    "more": { "type": "array", "items": { "type": "string" }, "description": "Anything else" },
                },
                "required": ["place"],
            },
        },
    });
    let call = json!({
        "type": "function", "id": "abc123def",
        "function": { "name": "weather", "arguments": { "place": "K\u{f6}ln", "days": 2, "exact": true, "share": 0.25 } },
    });
    let ask = json!({ "role": "user", "content": "  What is new?\n" });
    let answer = json!({ "role": "assistant", "content": "Much \u{2014} <b>very</b> much & more." });
    let system = json!({ "role": "system", "content": "Be brief." });
    json!({
        "question": { "messages": [ask], "add_generation_prompt": true },
        "answered": { "messages": [ask, answer] },
        "with system": { "messages": [system, ask], "add_generation_prompt": true },
        "long": { "messages": [system, ask, answer, { "role": "user", "content": "Go on." }, answer] },
        "again": { "messages": [ask, answer, { "role": "user", "content": "And?" }], "add_generation_prompt": true },
        "not thinking": { "messages": [ask], "add_generation_prompt": true, "variables": { "enable_thinking": false } },
        "reasoning": { "messages": [ask, { "role": "assistant", "reasoning_content": "Hm.\n", "content": "\nYes." }] },
        "thought": { "messages": [ask, { "role": "assistant", "content": "<think>\nWell\n</think>\n\nYes." }, ask],
                     "add_generation_prompt": true },
        "tools": { "messages": [system, ask], "tools": [weather], "add_generation_prompt": true },
        "called": {
            "messages": [ask, { "role": "assistant", "content": "", "tool_calls": [call] },
                         { "role": "tool", "name": "weather", "tool_call_id": "abc123def", "content": "{\"sun\": true}" }],
            "tools": [weather], "add_generation_prompt": true,
        },
        "parts": { "messages": [{ "role": "user", "content": [{ "type": "text", "text": "One." }, { "type": "text", "text": "Two." }] }],
                   "add_generation_prompt": true },
        "picture": { "messages": [{ "role": "user", "content": [{ "type": "image" }, { "type": "text", "text": "See?" }] }],
                     "add_generation_prompt": true },
        "two questions": { "messages": [ask, ask], "add_generation_prompt": true },
        "answer first": { "messages": [answer, ask] },
        "unknown role": { "messages": [{ "role": "oracle", "content": "Thus." }] },
    })
}

/// Constructs that templates use, each alone.
const CONSTRUCTS: [(&str, &str); 30] = [
    (
        "printing",
        "{{ true }} {{ none }} {{ false }} {{ 1.5 }} {{ [1, 'a', none] }} {{ {'a': [true, 2.0], 'b': \"it's\"} }} {{ (1, 'x') }}",
    ),
    (
        "tojson",
        "{{ messages | tojson }} {{ messages | tojson(indent=2) }} {{ '<a href=\"x\">\\u00e9' | tojson }} {{ 'é' | tojson(ensure_ascii=true) }} {{ {'b': 1, 'a': []} | tojson(sort_keys=true) }} {{ [] | tojson(indent=4) }} {{ [1.0, 1e-7, none, true] | tojson(separators=(',', ':')) }}",
    ),
    (
        "namespace",
        "{% set ns = namespace(n=0, found=false) %}{% for m in messages %}{% set ns.n = ns.n + 1 %}{% if m.role == 'assistant' %}{% set ns.found = true %}{% endif %}{% endfor %}{{ ns.n }}{{ ns.found }}",
    ),
    (
        "loop controls",
        "{% for m in messages %}{% if loop.index0 == 1 %}{% continue %}{% endif %}{% if loop.index > 3 %}{% break %}{% endif %}{{ loop.index }}{{ loop.first }}{{ loop.last }}{{ loop.revindex }} {% endfor %}",
    ),
    (
        "generation",
        "{% set x = 1 %}{% for m in messages %}{%- generation -%} {% set x = 2 %}{{ m.role }}{{ loop.index }} {%- endgeneration -%} {{ x }}{% endfor %}{{ x }}",
    ),
    (
        "slices",
        "{{ messages[1:] | length }}{{ messages[:-1] | length }}{{ messages[::-1] | map(attribute='role') | join(',') }}{{ 'abcdef'[1:-1] }}{{ 'abcdef'[-2:] }}",
    ),
    (
        "text methods",
        "{{ ' a b '.strip() }}|{{ 'xxaxx'.lstrip('x') }}|{{ 'xxaxx'.rstrip('x') }}|{{ 'a,b,c'.split(',')[-1] }}|{{ 'a b  c'.split() }}|{{ 'abc'.startswith('ab') }}|{{ 'abc'.endswith(('x', 'c')) }}|{{ 'ab'.upper() }}{{ 'AB'.lower() }}{{ 'ab cd'.title() }}{{ 'ab cd'.capitalize() }}|{{ 'a-b'.replace('-', '+') }}|{{ 'abc'.find('c') }}{{ 'abc'.find('z') }}|{{ ', '.join(['a', 'b']) }}|{{ 'a\nb'.splitlines() }}",
    ),
    (
        "more text methods",
        "{{ 'abc'.removeprefix('a') }}{{ 'abc'.removesuffix('c') }}|{{ 'a=b=c'.partition('=') }}{{ 'a=b=c'.rpartition('=') }}|{{ 'a b c'.rsplit(' ', 1) }}{{ 'a b'.rsplit() }}|{{ 'abc'.index('c') }}|{{ 'a'.ljust(3) }}|{{ 'a'.rjust(3, '.') }}|{{ 'ab'.center(5, '*') }}|{{ '-7'.zfill(4) }}|{{ 'aB'.swapcase() }}{{ 'abcb'.count('b') }}{{ '12'.isdigit() }}",
    ),
    ("format", "{{ '{} is {}'.format('a', 1) }} {{ '%s: %d' | format('b', 2) }} {{ '{x}'.format(x='y') }}"),
    (
        "dictionary methods",
        "{% set d = {'a': 1, 'b': {'c': none}} %}{{ d.get('a') }}{{ d.get('z', 'no') }}{{ d.get('z') }}{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}{% for k in d %}{{ k }}{% endfor %}{{ d.keys() | list }}{{ d.values() | list }}{{ 'a' in d }}{{ d['b']['c'] is none }}",
    ),
    (
        "filters",
        "{{ [3, 1, 2] | sort }}{{ [1, 2] | first }}{{ [1, 2] | last }}{{ 'x' | default('y') }}{{ z | default('y') }}{{ '' | default('y', true) }}{{ '7' | int + 1 }}{{ '1.5' | float }}{{ ' t ' | trim }}{{ 'abc' | length }}{{ ['a', 'b'] | join('-') }}{{ 'ab' | upper }}{{ 'a b' | replace(' ', '_') }}{{ 'abc' | list }}{{ 5 | string }}{{ [1, 1, 2] | unique | list }}{{ [1, none, 2] | select | list }}{{ -3 | abs }}{{ 'a' | capitalize }}",
    ),
    (
        "selection",
        "{{ messages | selectattr('role', 'equalto', 'user') | list | length }}{{ messages | rejectattr('role', 'eq', 'user') | map(attribute='role') | list }}{{ [1, 2, 3] | reject('odd') | list }}{{ ['a', 'b'] | map('upper') | list }}{{ {'b': 1, 'a': 2} | dictsort }}{{ {'b': 1} | items | list }}",
    ),
    (
        "tests",
        "{{ 'a' is string }}{{ 1 is number }}{{ {} is mapping }}{{ [] is sequence }}{{ 'a' is sequence }}{{ {} is sequence }}{{ 1 is sequence }}{{ 'a' is iterable }}{{ {} is iterable }}{{ 1 is iterable }}{{ none is iterable }}{{ none is none }}{{ x is defined }}{{ messages is defined }}{{ true is boolean }}{{ 1 is integer }}{{ 1.0 is float }}{{ true is true }}{{ 4 is divisibleby 2 }}{{ 3 is odd }}{{ 1 in [1, 2] }}{{ 'b' in 'abc' }}{{ 2 not in [1] }}",
    ),
    (
        "arithmetic",
        "{{ 7 // 2 }}{{ 7 % 3 }}{{ -7 // 2 }}{{ -7 % 3 }}{{ 2 ** 5 }}{{ 7 / 2 }}{{ 4 / 2 }}{{ 1 + 2.0 }}{{ 'a' ~ 1 ~ true ~ none }}{{ 'ab' * 2 }}{{ 'a' + 'b' }}{{ [1] + [2] }}",
    ),
    (
        "conditions",
        "{{ 'a' if x else 'b' }}{{ 'a' if messages }}{{ x or 'c' }}{{ not x }}{{ 1 < 2 }}{{ 1 < 2 and 2 < 3 }}{{ (1 == 1.0) }}{% if messages and messages[0].role == 'system' %}s{% elif messages %}m{% else %}n{% endif %}",
    ),
    (
        "macros",
        "{% macro show(m, end='.') %}<{{ m.role }}>{{ caller() if caller else '' }}{{ end }}{% endmacro %}{% for m in messages %}{{ show(m) }}{{ show(m, end='!') }}{% call show(m) %}in{% endcall %}{% endfor %}",
    ),
    (
        "recursive macro",
        "{% macro f(x) %}{% if x is mapping %}{ {%- for k, v in x.items() %}{{ k }}:{{ f(v) }}{{ ',' if not loop.last }}{% endfor %}}{% elif x is string %}'{{ x }}'{% elif x is sequence %}[{% for v in x %}{{ f(v) }};{% endfor %}]{% else %}{{ x }}{% endif %}{% endmacro %}{{ f(messages) }}{{ f(tools) }}",
    ),
    (
        "block set",
        "{% set text %}  {{ messages | length }} messages\n{% endset %}[{{ text }}][{{ text | trim }}]",
    ),
    (
        "whitespace",
        "a\n  {% if true %}\n  b\n  {%- endif %}\n\n  {%+ if true %} c {% endif %}\n{# note #}\n  {{- ' d ' -}}  \n e\n\n",
    ),
    ("raw", "{% raw %}{{ x }} {% y %}{% endraw %} {{ '{{' }} {{ \"{%\" }}"),
    (
        "exceptions",
        "{% for m in messages %}{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('roles must alternate') }}{% endif %}{{ m.role }}{% endfor %}",
    ),
    (
        "dates",
        "{{ strftime_now('%d %b %Y') }} {{ strftime_now('%Y-%m-%d %H:%M:%S %A %B %j %p') }}{% if strftime_now is defined %} yes{% endif %}",
    ),
    (
        "specials",
        "{{ bos_token }}{{ eos_token }}{{ pad_token }}{% if unk_token is defined %}u{% endif %}{{ eos_token is defined }}",
    ),
    (
        "nothing given",
        "{{ tools is none }}{{ documents is none }}{{ tools is defined }}{% if not tools %}no tools{% endif %}{{ add_generation_prompt }}{{ enable_thinking is defined }}",
    ),
    (
        "unpacking",
        "{% set a, b = 1, 2 %}{{ a }}{{ b }}{% for i, (x, y) in [[1, [2, 3]]] %}{{ i }}{{ x }}{{ y }}{% endfor %}{% set d = dict(a=1, b='c') %}{{ d }}{{ d.b }}",
    ),
    (
        "loop extras",
        "{% for m in messages if m.role != 'system' %}{{ loop.index }}/{{ loop.length }}{{ loop.previtem.role if loop.previtem is defined }}{{ loop.nextitem.role if not loop.last }}{{ loop.cycle('x', 'y') }}{{ loop.changed(m.role) }} {% else %}none{% endfor %}{% for i in range(3, 0, -1) %}{{ i }}{% endfor %}",
    ),
    (
        "with and filter blocks",
        "{% with x = 3, y = 4 %}{{ x }}{{ y }}{% endwith %}{% filter upper %}up {{ messages | length }}{% endfilter %}",
    ),
    (
        "missing keys",
        "{{ messages[0].nothing }}{{ messages[0]['nothing'] is defined }}{{ messages[0].get('name', '') }}{% if messages[0].tool_calls %}t{% endif %}{% for x in messages[0].nothing %}{{ x }}{% endfor %}{{ messages[9] is defined }}",
    ),
    (
        "unicode",
        "{{ 'Grüße 🧀' | upper }}{{ 'ß' | length }}{{ '🧀🧀' | length }}{{ '日本語'[1] }}{{ 'é' ~ 'ü' }}{{ '\\u00e9\\t\\n' }}",
    ),
    (
        "indent",
        "{{ 'a\nb\n\nc' | indent(4) }}|{{ 'a\nb' | indent(2, true) }}|{{ 'a\nb' | indent(width=2, first=true) }}",
    ),
];

fn conversation(chat: &Value) -> Conversation {
    Conversation {
        messages: chat["messages"].as_array().unwrap().clone(),
        tools: chat.get("tools").cloned(),
        documents: None,
        add_generation_prompt: chat["add_generation_prompt"] == true,
        variables: chat["variables"].as_object().cloned().unwrap_or_default(),
    }
}

#[test]
fn templates_are_rendered_as_transformers_renders_them() {
    let specials = json!({ "bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>" });
    let chats = conversations();
    let constructs: Map<String, Value> =
        CONSTRUCTS.iter().map(|(name, source)| (name.to_string(), (*source).into())).collect();
    let request =
        json!({ "templates": constructs, "conversations": chats, "specials": specials, "now": NOW });
    let answer: Map<String, Value> =
        serde_json::from_str(&python("render_templates.py", &[] as &[&str], &request)).unwrap();
    let tokenizer = json!({ "added_tokens": [], "model": { "type": "WordLevel", "unk_token": "<s>",
                            "vocab": { "<s>": 0, "</s>": 1, "<pad>": 2 } } });
    let tokenizer = Tokenizer::new(tokenizer.to_string(), specials, Path::new("tokenizer.json")).unwrap();
    let (mut wrong, mut of_models, mut texts, mut refused) = (Vec::new(), 0, 0, 0);
    for (name, theirs) in &answer {
        let template = ChatTemplate::new(theirs["source"].as_str().unwrap().into(), &tokenizer)
            .and_then(|template| template.at(Moment(NOW)));
        let template = match template {
            Ok(template) => template,
            Err(error) => {
                wrong.push(format!("{name}: {error}"));
                continue;
            }
        };
        let mut rendered = false;
        for (chat, text) in theirs["texts"].as_object().unwrap() {
            let ours = template.render_all(&conversation(&chats[chat]));
            match (ours, text.as_str()) {
                (Ok(ours), Some(text)) if ours == text => {
                    texts += 1;
                    rendered = true;
                }
                (Err(_), None) => refused += 1,
                (ours, text) => wrong.push(format!("{name}, {chat}:\n  ours   {ours:?}\n  theirs {text:?}")),
            }
        }
        of_models += (rendered && name.starts_with("trl/")) as usize;
    }
    println!(
        "{of_models} templates of models, {texts} texts the same, {refused} conversations refused by both"
    );
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
    assert!(of_models >= 20 && texts > 500, "{of_models} templates, {texts} texts");
}
