// Penstock's tracker: what a reader does on a page → events, posted in batches to the collector.
//
//   <script defer src="/a/analytics.js" data-site="example.com"></script>
//
// No cookie, no id of a person, no third party, nothing put into the page, nothing thrown at it.
// tracker/ARCHITECTURE.md tells the reasons. Served without comments and blanks, and with short local names.
(() => {
  let script = document.currentScript;
  let stub = window.analytics;
  if (!script || stub?.track) return;
  let options = script.dataset;

  let safe = action => (...args) => {
    try {
      return action(...args);
    } catch {}
  };
  let on = (target, types, action) => types.map(type => target.addEventListener(type, safe(action), true));
  let random = () => crypto.getRandomValues(new Uint32Array(1))[0];
  let uuid = () => 'xxxxxxxx-xxxx-4xxx-8xxx-xxxxxxxxxxxx'.replace(/x/g, () => (random() % 16).toString(16));
  let within = (ms, time) => Math.abs(Date.now() - time) < ms;

  // The state is one JSON value in localStorage; in memory where that is blocked, full or not wanted.

  let stored = options.identity != 'none';
  let state = { queue: [] };
  let load = () => {
    let found = JSON.parse(localStorage.penstock);
    if (found.queue.map && (stored || found.off)) state = found;
  };
  let save = () => {
    try {
      if (stored || state.off) localStorage.penstock = JSON.stringify(state);
    } catch {
      stored = 0;
    }
  };

  // Consent: own visits switched off, signals of the browser, pages that are not on a site. Also loads the state.

  let isOff = () => {
    safe(load)();
    return (
      state.off ||
      (options.ignoreSignals == null && (navigator.globalPrivacyControl || navigator.doNotTrack == 1)) ||
      (!options.endpoint && /^(localhost|127\.|\[|$)/.test(location.hostname))
    );
  };

  // Transport. What waits is in the state, so it outlives the tab; what is on its way is not, so no tab sends it twice.

  let timer;
  let failed;
  let later = ms => (timer = timer || setTimeout(deliver, ms));
  let deliver = () => {
    timer = clearTimeout(timer);
    if (isOff() || !navigator.onLine || !state.queue[0]) return;
    if (within(9e3, failed)) return later(1e4);
    let count = 26;
    let batch;
    let text;
    do {
      batch = state.queue.slice(0, --count).map(event => ({ ...event, sent_ts: new Date() }));
      text = JSON.stringify(batch, (key, value) => value?.slice?.(0, 500) ?? value);
    } while (count > 1 && new Blob([text]).size > 16e3);
    state.queue = state.queue.slice(count);
    save();
    fetch((options.endpoint || new URL('e', script.src)) + (options.site ? '?writeKey=' + options.site : ''), {
      method: 'POST',
      keepalive: true,
      credentials: 'omit',
      body: text,
    })
      .then(reply => {
        if (/408|429|5../.test(reply.status)) throw 0;
        // Read to its end: until then it takes of the 64 KiB that a page may have on its way.
        return reply.text();
      })
      // A page that is left hears of a failure although the request goes on. It does not live to see the timer.
      .then(deliver, () =>
        setTimeout(() => {
          if (isOff()) return;
          failed = Date.now();
          state.queue = [...batch, ...state.queue].slice(-50);
          save();
        }),
      );
  };

  // An event. A session is a random id, new after 30 idle minutes; beside it the days of the first and the previous one.

  let emit = (type, properties, columns) => {
    if (!page) return early.push([type, properties, columns]);
    if (isOff()) return;
    let now = new Date();
    if (!within(18e5, state.at)) {
      state.id = uuid();
      state.seq = 0;
      state.prev = state.day;
      state.utm = 0;
      if (stored) state.day = safe(() => now.toLocaleDateString('sv', { timeZone: options.tz || 'UTC' }))();
      state.first = state.first || state.day;
    }
    if (options.identity == 'visitor' && !within(7776e6, state.born)) {
      state.visitor = uuid();
      state.born = Date.now();
    }
    state.at = Date.now();
    state.utm = arrived || state.utm;
    arrived = 0;
    state.queue = [
      ...state.queue,
      {
        ...columns,
        event_type: type,
        event_id: uuid(),
        event_ts: now,
        session_id: state.id,
        seq: ++state.seq,
        first_day: state.first,
        prev_day: state.prev,
        visitor_id: state.visitor,
        ...page,
        ...state.utm,
        variants: state.variants,
        properties: { ...properties, webdriver: navigator.webdriver || undefined },
      },
    ].slice(-50);
    save();
    if (state.queue[9] || /^(page_view|cta_click|form_submit)$/.test(type)) deliver();
    later(3e3);
  };

  // What the page's own scripts may call. Nothing here throws. Of what they give, 20 scalars of 1,000 characters.

  let pick = given => {
    let room = 1e3;
    let fits = ([key, value]) => /^(str|num|boo)/.test(typeof value) && (room -= (key + value).length) > 0;
    return Object.fromEntries(Object.entries(given || {}).filter(fits).slice(0, 20));
  };
  let api = (window.analytics = {
    q: { push: safe(([name, ...args]) => api[name](...args)) },
    flush: deliver,
    optOut: () => {
      state = { off: 1, queue: [] };
      save();
    },
    optIn: () => {
      safe(load)();
      if (!state.off) return;
      state = { queue: [] };
      safe(() => delete localStorage.penstock)();
      if (page) view();
    },
    track: safe((name, properties, columns) => {
      if (name) emit(name, pick(properties), pick(columns));
    }),
    variant: safe((experiment, choices) => {
      if (isOff()) return choices[0];
      let chosen = state.variants?.[experiment];
      if (!choices.includes(chosen)) {
        chosen = choices[random() % choices.length];
        state.variants = { ...state.variants, [experiment]: chosen };
        save();
        emit('experiment_view', { experiment, variant: chosen });
      }
      return chosen;
    }),
  });

  // Views: page loads, history changes, and pages that come back or appear late.

  let page;
  let early = [];
  let arrived;
  let depth;
  let visible;
  let exited;
  let bare = address => {
    let url = new URL(address);
    return (url.host == location.host ? '' : url.protocol + '//' + url.host) + url.pathname;
  };
  let path = () => location.pathname + (options.hash == null ? '' : location.hash);
  let view = from => {
    depth = visible = exited = 0;
    page = {
      page_path: path(),
      page_url: location.origin + location.pathname,
      page_title: document.title,
      referrer: from,
      screen_width: screen.width,
      screen_height: screen.height,
      language: navigator.language,
      timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    };
    new URLSearchParams(location.search).forEach((value, key) => {
      if (value && /^utm_(source|medium|campaign|term|content)$/.test(key)) arrived = { ...arrived, [key]: value };
    });
    let mail = arrived?.utm_content?.split(':');
    if (mail?.[1]) api.variant(mail[0], [mail[1]]);
    emit('page_view');
  };
  let moved = () => {
    if (location.hash == '#analytics-off') api.optOut();
    if (location.hash == '#analytics-on') api.optIn();
    if (page && path() != page.page_path) view(page.page_path);
  };
  let appear = () => {
    if (document.hidden) return deliver();
    if (page) return;
    view(safe(bare)(document.referrer));
    early.map(call => emit(...call));
  };

  // Reading: how far, how long, and the pointer leaving.

  let look = () => {
    while (
      document.readyState == 'complete' &&
      depth < 100 &&
      ((scrollY + innerHeight + 2) / document.documentElement.scrollHeight) * 100 >= depth + 25
    )
      emit('scroll_depth', { percent: (depth += 25) });
  };
  setInterval(() => {
    if (document.hidden) return;
    look();
    if ([30, 60, 180, 300].includes(++visible)) emit('time_on_page', { seconds: visible });
  }, 1e3);
  on(window, ['scroll'], look);
  on(document, ['mouseout'], event => {
    if (!exited && !event.relatedTarget && event.clientY <= 0) emit('exit_intent', (exited = {}));
  });

  // Clicks and forms. Never a value; getAttribute, because an input called "name" stands in for the form's own.

  on(document, ['click', 'auxclick'], event => {
    if (event.button > 1) return;
    let find = selector => event.target.closest(selector);
    let link = find('a[href]') || {};
    let cta = find(options.cta || '.cta,[data-cta]');
    let own = find('[data-event]');
    if (cta) emit('cta_click', { label: cta.dataset.cta || cta.textContent.trim(), host: link.hostname });
    if (find('a[download]') || /\.(pdf|zip|gz|docx?|xlsx?|pptx?|csv|dmg|exe|mp[34])$/i.test(link.pathname))
      emit('download', { file: bare(link.href) });
    if (own) {
      let properties = {};
      for (let key in own.dataset)
        if (/^event./.test(key)) properties[key.slice(5).toLowerCase()] = own.dataset[key];
      api.track(own.dataset.event, properties);
    }
  });
  on(document, ['focusin', 'submit'], event => {
    let form = event.target.closest('form');
    let starts = event.type == 'focusin';
    if (starts && form.penstock == page) return;
    form.penstock = page;
    emit('form_' + (starts ? 'start' : 'submit'), { form: form.getAttribute('name') || form.getAttribute('id') });
  });

  // Everything that happens to a page.

  ['pushState', 'replaceState'].map(name => {
    let original = history[name];
    history[name] = (...args) => {
      original.apply(history, args);
      safe(moved)();
    };
  });
  on(window, ['popstate', 'hashchange'], moved);
  on(window, ['pagehide'], deliver);
  // All tabs hear this at once, and would send the same: whoever is first empties the queue for the others.
  on(window, ['online'], () => setTimeout(deliver, random() % 3e3));
  on(window, ['pageshow'], event => event.persisted && view());
  on(document, ['visibilitychange'], appear);

  safe(moved)();
  stub?.q?.map(api.q.push);
  safe(appear)();
})();
