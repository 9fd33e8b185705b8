<?php

// The app that the check runs the job in: Laravel's own kernel and container, with the framework of Debian's packages, jobs
// in a SQLite database, and nothing of a web application. `php check-app.php queue:work` is artisan there.

use Illuminate\Contracts\Console\Kernel;
use Illuminate\Contracts\Debug\ExceptionHandler;
use Illuminate\Foundation\Application;

require 'Illuminate/autoload.php';
require 'GuzzleHttp/autoload.php';
spl_autoload_register(function (string $class): void {
    $file = __DIR__.'/'.lcfirst(strtr($class, '\\', '/')).'.php';
    if (is_file($file)) {
        require $file;
    }
});

foreach (['bootstrap/cache', 'config', 'database', 'storage/logs'] as $folder) {
    is_dir($folder) || mkdir($folder, recursive: true);
}
touch('database/database.sqlite');
$providers = ['Bus\BusServiceProvider', 'Cache\CacheServiceProvider', 'Database\DatabaseServiceProvider',
    'Encryption\EncryptionServiceProvider', 'Filesystem\FilesystemServiceProvider',
    'Foundation\Providers\ConsoleSupportServiceProvider', 'Queue\QueueServiceProvider'];
$database = ['driver' => 'sqlite', 'database' => __DIR__.'/database/database.sqlite', 'prefix' => ''];
$config = [
    'app' => ['env' => 'local', 'key' => str_repeat('k', 32), 'cipher' => 'AES-256-CBC', 'timezone' => 'UTC', 'locale' => 'en',
        'providers' => array_map(fn (string $name) => 'Illuminate\\'.$name, $providers)],
    'cache' => ['default' => 'array', 'stores' => ['array' => ['driver' => 'array']]],
    'database' => ['default' => 'sqlite', 'connections' => ['sqlite' => $database], 'migrations' => 'migrations'],
    'logging' => ['default' => 'single', 'channels' => ['single' => ['driver' => 'single', 'path' => 'storage/logs/laravel.log']]],
    'queue' => ['default' => 'database',
        'connections' => ['database' => ['driver' => 'database', 'table' => 'jobs', 'queue' => 'default', 'retry_after' => 90]],
        'failed' => ['driver' => 'database-uuids', 'database' => 'sqlite', 'table' => 'failed_jobs']],
    'services' => ['keybrake' => ['url' => getenv('KEYBRAKE_URL'), 'token' => getenv('KEYBRAKE_API_KEY')]],
];
foreach ($config as $name => $values) {
    file_put_contents("config/{$name}.php", '<?php return '.var_export($values, true).';');
}

$app = new Application(__DIR__);
$app->singleton(Kernel::class, Illuminate\Foundation\Console\Kernel::class);
$app->singleton(ExceptionHandler::class, Illuminate\Foundation\Exceptions\Handler::class);
$kernel = $app->make(Kernel::class);
if (($argv[1] ?? '') === 'dispatch') {
    $kernel->bootstrap();
    $customers = array_map(fn (int $n) => "cus_{$n}", range(0, (int) $argv[3] - 1));
    dispatch(new App\Jobs\BillingRun($argv[2], $customers, 2999));
    exit(0);
}
if (($argv[1] ?? '') === 'books') {
    $kernel->bootstrap();
    $failed = app('db')->table('failed_jobs')->pluck('exception')->map(fn (string $text) => strtok($text, ':'));
    echo json_encode(['waiting' => app('db')->table('jobs')->count(), 'failed' => $failed]);
    exit(0);
}
exit($kernel->handle(new Symfony\Component\Console\Input\ArgvInput, new Symfony\Component\Console\Output\ConsoleOutput));
