/** Every call over the network as a choice: when it takes effect, whether its answer is heard, and who dies at it. */

/** One run of a function. When it is not alive, nothing of it goes on: what it awaits never comes. */
export type Process = { readonly name: string; readonly function: string; alive: boolean };

/** What came of an action: all of it, only its effect, an effect and an error, an error alone, or nothing yet. */
export type Fate = 'whole' | 'unheard' | 'lost' | 'refused';

/** Something that can happen next. */
export type Action = { readonly process: Process; readonly label: string; happen(fate: Fate): void; hold?(): void };

type Call = Action & { isReady(): boolean };

export type Network = ReturnType<typeof openNetwork>;

export function openNetwork() {
  let calls: Call[] = [];
  const without = (call: Call): void => {
    calls = calls.filter((other) => other !== call);
  };

  const add = (process: Process, label: string, happen: (fate: Fate) => void, isFree: () => boolean): void => {
    let held = false;
    const call: Call = {
      process,
      label,
      isReady: () => !held && isFree(),
      happen(fate) {
        without(call);
        happen(fate);
      },
      hold() {
        held = true;
        setTimeout(() => {
          held = false;
        }, 3_000);
      },
    };
    calls.push(call);
  };

  return {
    /** Resolves to what `effect` gives; it waits for `isFree`. A dead process waits for ever. */
    call<Result>(
      process: Process,
      label: string,
      effect: () => Result,
      noAnswer: () => Error,
      isFree = (): boolean => true,
    ): Promise<Result> {
      return new Promise((resolve, reject) => {
        if (!process.alive) return;
        const happen = (fate: Fate): void => {
          if (fate === 'refused') return reject(noAnswer());
          try {
            const result = effect();
            if (fate === 'whole') resolve(result);
          } catch (error) {
            if (fate === 'whole') reject(error);
          }
          if (fate === 'lost') reject(noAnswer());
        };
        add(process, label, happen, isFree);
      });
    },
    /** Sends what nobody confirms: it can be lost. */
    tell(process: Process, label: string, effect: () => void): void {
      const happen = (fate: Fate): void => {
        if (fate === 'whole' || fate === 'unheard') effect();
      };
      if (process.alive) add(process, label, happen, () => true);
    },
    /** Oldest first. */
    ready: (): Action[] => calls.filter((call) => call.isReady()),
    isIdle: () => calls.length === 0,
    /** The process is gone; what it has sent before still arrives, or does not. Gives the labels of what did. */
    die(process: Process, arrives: boolean): string[] {
      process.alive = false;
      const own = calls.filter((call) => call.process === process);
      const arrived = own.filter((call) => arrives && call.isReady());
      for (const call of own) without(call);
      for (const call of arrived) call.happen('unheard');
      return arrived.map(({ label }) => label);
    },
  };
}
