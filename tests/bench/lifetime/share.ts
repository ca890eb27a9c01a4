/** Each worker takes the next item when it is done with its last, until there are none. Rejects as soon as one rejects. */
export async function share<Item, Worker>(
  items: Iterable<Item>,
  workers: readonly Worker[],
  work: (item: Item, worker: Worker) => Promise<void>,
): Promise<void> {
  const rest = items[Symbol.iterator]();
  const goOn = async (worker: Worker): Promise<void> => {
    for (let next = rest.next(); next.done !== true; next = rest.next()) await work(next.value, worker);
  };
  await Promise.all(workers.map(goOn));
}
