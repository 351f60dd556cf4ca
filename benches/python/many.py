"""Pushes that many charts with that many threads: `many.py HOST PACKAGE COUNT THREADS`. Prints the processor time of the pushes in seconds."""

import resource
import sys
import threading

from oci_chart import Client, Package


def used() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


host, file, count, threads = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
package = Package.load(file)
numbers = iter(range(count))
lock = threading.Lock()
failed: list[BaseException] = []


def work() -> None:
    try:
        while True:
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            client.push(package, f"oci://{host}/many/python{number}")
    except BaseException as error:
        failed.append(error)


with Client(plain_http=[host]) as client:
    before = used()
    workers = [threading.Thread(target=work) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    print(used() - before)
if failed:
    raise failed[0]
